<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A delivery with its attempts. */
final class PastDelivery extends Shape
{
    /**
     * @param string $state `pending`, `delivered`, `given_up` or `cancelled`
     * @param list<Attempt> $attempts
     */
    public function __construct(
        public readonly int $number,
        public readonly string $event_id,
        public readonly string $type,
        public readonly string $occured_at,
        public readonly string $state,
        public readonly ?string $next_attempt_at,
        public readonly ?string $superseded_by,
        public readonly array $attempts,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'attempts' => Attempt::class,
        ];
    }
}
