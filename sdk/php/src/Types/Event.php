<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** An event, with the charge as it was then. */
final class Event extends Shape
{
    /**
     * @param string $type as in `charge:confirmed`
     * @param string $occured_at the reference's own spelling
     */
    public function __construct(
        public readonly string $id,
        public readonly string $type,
        public readonly string $occured_at,
        public readonly Charge $data,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'data' => Charge::class,
        ];
    }
}
