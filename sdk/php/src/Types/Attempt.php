<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** An attempt of a delivery. */
final class Attempt extends Shape
{
    public function __construct(
        public readonly int $attempt,
        public readonly string $at,
        public readonly int $took_ms,
        public readonly ?int $status,
        public readonly ?string $failure,
        public readonly ?string $excerpt,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
