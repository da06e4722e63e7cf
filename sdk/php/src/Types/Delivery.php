<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** The body of a webhook delivery. */
final class Delivery extends Shape
{
    /**
     * @param ?bool $test a test names no order: accept it and do nothing
     * @param ?string $superseded_by the event that came to be delivered before this one
     */
    public function __construct(
        public readonly int $delivery_attempt,
        public readonly Event $event,
        public readonly ?bool $test,
        public readonly ?string $superseded_by,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'event' => Event::class,
        ];
    }
}
