<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** An address. */
final class Address extends Shape
{
    public function __construct(
        public readonly string $address,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
