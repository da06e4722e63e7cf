<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A page of charges. */
final class ChargeList extends Shape
{
    /**
     * @param list<Charge> $charges
     * @param list<string> $unreadable nearly always empty: ids of charges that belong here, and that the server cannot read; do not ship for them
     */
    public function __construct(
        public readonly array $charges,
        public readonly array $unreadable,
        public readonly int $page,
        public readonly ?string $next_cursor,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'charges' => Charge::class,
        ];
    }
}
