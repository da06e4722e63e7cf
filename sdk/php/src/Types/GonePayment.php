<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A payment that was lost. */
final class GonePayment extends Shape
{
    public function __construct(
        public readonly string $txid,
        public readonly string $value,
        public readonly string $state,
        public readonly int $vout,
        public readonly int $value_sat,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
