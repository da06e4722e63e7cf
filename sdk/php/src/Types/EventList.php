<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A page of the log of events. */
final class EventList extends Shape
{
    /**
     * @param list<Event> $events
     * @param string $next_cursor where to go on; it is there also at the end, for later
     */
    public function __construct(
        public readonly array $events,
        public readonly string $next_cursor,
        public readonly bool $has_more,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'events' => Event::class,
        ];
    }
}
