<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** What is delivered again. */
final class Redelivery extends Shape
{
    /**
     * @param int $due how many deliveries start now
     */
    public function __construct(
        public readonly string $id,
        public readonly int $due,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
