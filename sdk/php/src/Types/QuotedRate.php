<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** The rate that a charge was priced by. */
final class QuotedRate extends Shape
{
    public function __construct(
        public readonly int $cents_per_btc,
        public readonly string $source,
        public readonly string $at,
        public readonly int $spread_bps,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
