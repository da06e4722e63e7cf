<?php

use Bitpro\Types\Delivery;
use Bitpro\Webhook;
use Bitpro\WebhookException;

require __DIR__ . '/../autoload.php'; // or vendor/autoload.php of Composer

$secrets = explode(' ', getenv('WEBHOOK_SECRET'));
// Your database: order ids and their prices in cents.
$prices = json_decode(getenv('ORDERS'), true);

function decide(Delivery $delivery, array $prices): string
{
    if ($delivery->test) {
        return 'test';
    }
    $charge = $delivery->event->data;
    $order = $charge->external_order_id;
    if (($prices[$order] ?? null) !== $charge->fiat_price_cents) {
        return "refuse $order";
    }
    return $charge->state === 'confirmed' ? "ship $order" : "wait $order";
}

try {
    $decision = decide(Webhook::verify(file_get_contents('php://input'), $_SERVER, $secrets), $prices);
    http_response_code(204);
} catch (WebhookException $error) {
    $decision = "refused: $error->failure";
    http_response_code(401);
}
file_put_contents('php://stdout', "$decision\n");
