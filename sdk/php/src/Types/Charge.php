<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A charge. Amounts are whole numbers: cents and satoshis. */
final class Charge extends Shape
{
    /**
     * @param string $state `pending`, `seen`, `confirmed`, `timedout` or `failed`
     * @param ?string $reason why it is in this state
     * @param int $sequence rises with each event; send it when you cancel or accept
     * @param int $round rises each time a charge falls back after it was seen or confirmed
     * @param float $fiat_price a fraction of the reference's own: calculate with `fiat_price_cents`
     * @param bool $price_verified whether the merchant vouches for the price: created by the API or a signed link
     * @param bool $order_conflict whether the order id has charges with different prices, or more than one that received money
     * @param string $origin `link`, `signed_link` or `api`
     * @param list<Address> $addresses
     * @param list<Payment> $payments
     * @param list<GonePayment> $gone_payments
     * @param list<Payment> $earlier_payments money that was seen before the charge was created: it belongs to someone else
     * @param ?array<string, mixed> $metadata
     * @param string $url the charge's page: send the shopper there
     */
    public function __construct(
        public readonly string $id,
        public readonly string $state,
        public readonly ?string $reason,
        public readonly int $sequence,
        public readonly int $round,
        public readonly ?string $external_order_id,
        public readonly ?string $buyer_email,
        public readonly string $fiat_currency,
        public readonly float $fiat_price,
        public readonly int $fiat_price_cents,
        public readonly int $amount_sat,
        public readonly int $received_sat,
        public readonly int $remaining_sat,
        public readonly int $confirmations,
        public readonly int $confirmations_required,
        public readonly bool $price_verified,
        public readonly bool $order_conflict,
        public readonly string $origin,
        public readonly QuotedRate $rate,
        public readonly array $addresses,
        public readonly array $payments,
        public readonly int $payments_total,
        public readonly array $gone_payments,
        public readonly int $gone_payments_total,
        public readonly array $earlier_payments,
        public readonly ?array $metadata,
        public readonly string $created_at,
        public readonly string $expires_at,
        public readonly string $url,
        array $raw,
    ) {
        parent::__construct($raw);
    }

    protected static function nested(): array
    {
        return [
            'rate' => QuotedRate::class,
            'addresses' => Address::class,
            'payments' => Payment::class,
            'gone_payments' => GonePayment::class,
            'earlier_payments' => Payment::class,
        ];
    }
}
