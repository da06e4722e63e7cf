<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A payment. */
final class Payment extends Shape
{
    /**
     * @param string $value bitcoin, with 8 decimal places
     * @param string $state `seen` or `confirmed`
     * @param ?int $rate_cents_per_btc the price of one bitcoin when the payment was first seen
     */
    public function __construct(
        public readonly string $txid,
        public readonly string $value,
        public readonly string $state,
        public readonly int $vout,
        public readonly int $value_sat,
        public readonly int $confirmations,
        public readonly string $first_seen_at,
        public readonly ?int $rate_cents_per_btc,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
