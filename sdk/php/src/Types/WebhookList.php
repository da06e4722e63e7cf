<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** The merchant's webhooks. */
final class WebhookList extends Shape
{
    /**
     * @param list<Webhook> $webhooks
     */
    public function __construct(
        public readonly array $webhooks,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'webhooks' => Webhook::class,
        ];
    }
}
