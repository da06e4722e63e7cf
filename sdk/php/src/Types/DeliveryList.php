<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A page of a webhook's deliveries. */
final class DeliveryList extends Shape
{
    /**
     * @param list<PastDelivery> $deliveries
     */
    public function __construct(
        public readonly array $deliveries,
        public readonly ?int $next_before,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'deliveries' => PastDelivery::class,
        ];
    }
}
