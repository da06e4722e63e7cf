<?php

declare(strict_types=1);

namespace Bitpro;

use Bitpro\Types\Charge;
use Bitpro\Types\ChargeList;

/** Charges. */
final class Charges
{
    public function __construct(private readonly Transport $transport)
    {
    }

    /**
     * Creates a charge with its own address. Send the shopper to its `url`.
     *
     * @param int $fiat_price_cents the price in cents
     * @param ?string $success_url where the page sends the shopper once paid, on one of your allowed domains; not proof of payment
     * @param ?array<string, mixed> $metadata your own object, at most 4,096 bytes of JSON
     * @param ?string $idempotency_key names what is to happen once; give your own to repeat the call yourself
     */
    public function create(
        int $fiat_price_cents,
        ?string $fiat_currency = null,
        ?string $external_order_id = null,
        ?string $buyer_email = null,
        ?string $lang = null,
        ?string $success_url = null,
        ?array $metadata = null,
        ?int $window_secs = null,
        ?int $confirmations = null,
        ?string $idempotency_key = null,
    ): Charge {
        $body = array_filter([
            'fiat_price_cents' => $fiat_price_cents,
            'fiat_currency' => $fiat_currency,
            'external_order_id' => $external_order_id,
            'buyer_email' => $buyer_email,
            'lang' => $lang,
            'success_url' => $success_url,
            'metadata' => $metadata === null ? null : (object) $metadata,
            'window_secs' => $window_secs,
            'confirmations' => $confirmations,
        ], static fn ($value) => $value !== null);
        return Charge::read($this->transport->call('POST', '/mapi/charges', [], $body, $idempotency_key));
    }

    /** One charge as it is now. */
    public function get(string $id): Charge
    {
        return Charge::read($this->transport->call('GET', self::path($id)));
    }

    /** Cancels a charge that nobody has paid. `$sequence` is the charge's as you saw it. */
    public function cancel(string $id, int $sequence, ?string $idempotency_key = null): Charge
    {
        $body = ['sequence' => $sequence];
        return Charge::read($this->transport->call('POST', self::path($id) . '/cancel', [], $body, $idempotency_key));
    }

    /**
     * Accepts the named payments (`txid:vout`), whatever their amount and time.
     *
     * @param list<string> $payments
     */
    public function accept(string $id, int $sequence, array $payments, ?string $idempotency_key = null): Charge
    {
        $body = ['sequence' => $sequence, 'payments' => $payments];
        return Charge::read($this->transport->call('POST', self::path($id) . '/accept', [], $body, $idempotency_key));
    }

    /** One page of the charges, newest first; 25 by default, at most 100. */
    public function page(
        ?string $state = null,
        ?string $external_order_id = null,
        ?string $created_from = null,
        ?string $created_to = null,
        ?int $per_page = null,
        ?string $cursor = null,
        ?int $page = null,
    ): ChargeList {
        $query = compact('state', 'external_order_id', 'created_from', 'created_to', 'per_page', 'cursor', 'page');
        return ChargeList::read($this->transport->call('GET', '/mapi/charges', $query));
    }

    /**
     * Page after page, by their cursors; parameters are those of `page`, by name.
     *
     * @return \Generator<int, ChargeList>
     */
    public function pages(string|int|null ...$query): \Generator
    {
        while (true) {
            $page = $this->page(...$query);
            yield $page;
            if ($page->next_cursor === null) {
                return;
            }
            $query = [...$query, 'page' => null, 'cursor' => $page->next_cursor];
        }
    }

    /**
     * Charge after charge, newest first. `pages` also names charges that the server cannot read.
     *
     * @return \Generator<int, Charge>
     */
    public function list(string|int|null ...$query): \Generator
    {
        foreach ($this->pages(...$query) as $page) {
            foreach ($page->charges as $charge) {
                yield $charge;
            }
        }
    }

    private static function path(string $id): string
    {
        return '/mapi/charges/' . Bitpro::plain($id);
    }
}
