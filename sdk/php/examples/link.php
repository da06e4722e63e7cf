<?php

use Bitpro\Links;

require __DIR__ . '/../autoload.php'; // or vendor/autoload.php of Composer

echo Links::sign(
    getenv('BITPRO_URL'),
    getenv('MERCHANT_ID'),
    getenv('LINK_KEY'),
    fiat_price_cents: 4200,
    external_order_id: getenv('ORDER_ID'),
), "\n";
