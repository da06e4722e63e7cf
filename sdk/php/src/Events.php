<?php

declare(strict_types=1);

namespace Bitpro;

use Bitpro\Types\EventList;

/** The log of events. */
final class Events
{
    public function __construct(private readonly Transport $transport)
    {
    }

    /** One page, oldest first. Keep `next_cursor` and give it as `$after` next time. */
    public function page(?string $after = null, ?int $per_page = null): EventList
    {
        return EventList::read($this->transport->call('GET', '/mapi/events', compact('after', 'per_page')));
    }

    /**
     * Page after page, up to now. Keep the `next_cursor` of each once its events are handled.
     *
     * @return \Generator<int, EventList>
     */
    public function pages(?string $after = null, ?int $per_page = null): \Generator
    {
        do {
            $page = $this->page($after, $per_page);
            yield $page;
            $after = $page->next_cursor;
        } while ($page->has_more);
    }
}
