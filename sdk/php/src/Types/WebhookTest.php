<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** How a test went. */
final class WebhookTest extends Shape
{
    public function __construct(
        public readonly string $event_id,
        public readonly bool $delivered,
        public readonly ?int $status,
        public readonly ?string $failure,
        public readonly int $took_ms,
        public readonly ?string $excerpt,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
