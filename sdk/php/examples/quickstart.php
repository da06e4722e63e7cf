<?php

use Bitpro\ApiException;
use Bitpro\Bitpro;

require __DIR__ . '/../autoload.php'; // or vendor/autoload.php of Composer

$order_id = getenv('ORDER_ID');
$bitpro = new Bitpro(getenv('BITPRO_URL'), getenv('BITPRO_ID'), getenv('BITPRO_SECRET'));

// A charge of EUR 42.00. With the order's id as its idempotency key there is one charge, however often this runs.
$charge = $bitpro->charges->create(4200, external_order_id: $order_id, idempotency_key: $order_id);
echo "send the shopper to $charge->url\n";

// Before you ship: state, order and price, as the server says.
$now = $bitpro->charges->get($charge->id);
echo "order $now->external_order_id of $now->fiat_price_cents cents is $now->state\n";

// All charges, newest first, page after page.
foreach ($bitpro->charges->list(per_page: 2) as $one) {
    echo "listed $one->id\n";
}

// What the server refuses has a stable code.
try {
    $bitpro->charges->create(0);
} catch (ApiException $error) {
    echo "refused: $error->problem_code\n";
}
