<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** The rate that a charge created now would use. */
final class Rate extends Shape
{
    /**
     * @param int $spread_bps how much more than the rate a charge asks for, in hundredths of a percent
     */
    public function __construct(
        public readonly string $fiat_currency,
        public readonly int $cents_per_btc,
        public readonly string $source,
        public readonly string $at,
        public readonly int $spread_bps,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
