<?php

declare(strict_types=1);

namespace Bitpro;

use Bitpro\Types\DeliveryList;
use Bitpro\Types\Redelivery;
use Bitpro\Types\WebhookList;
use Bitpro\Types\WebhookTest;

/** Webhooks; they take a key with the scope `webhooks:write`. */
final class Webhooks
{
    public function __construct(private readonly Transport $transport)
    {
    }

    /**
     * All webhooks, oldest first, without their secrets.
     *
     * @return list<Types\Webhook>
     */
    public function list(): array
    {
        return WebhookList::read($this->transport->call('GET', '/mapi/webhooks'))->webhooks;
    }

    /** Adds a webhook. The answer contains the secret that signs deliveries; no other answer does. */
    public function create(string $state, string $url, ?string $idempotency_key = null): Types\Webhook
    {
        $body = compact('state', 'url');
        return Types\Webhook::read($this->transport->call('POST', '/mapi/webhooks', [], $body, $idempotency_key));
    }

    /** Removes a webhook and cancels its pending deliveries. */
    public function remove(string $id, ?string $idempotency_key = null): Types\Webhook
    {
        return Types\Webhook::read($this->transport->call('DELETE', self::path($id), [], null, $idempotency_key));
    }

    /** Creates a new secret and shows it. The previous one also signs for `$overlap_secs`. */
    public function rotate(string $id, int $overlap_secs, ?string $idempotency_key = null): Types\Webhook
    {
        $body = compact('overlap_secs');
        return Types\Webhook::read($this->transport->call('POST', self::path($id) . '/rotate', [], $body, $idempotency_key));
    }

    /** Sends one test delivery now, and says what happened. It is never repeated by itself. */
    public function test(string $id): WebhookTest
    {
        return WebhookTest::read($this->transport->call('POST', self::path($id) . '/test', [], [], null, true));
    }

    /** Delivers failed events again, or one event whatever happened to it. */
    public function redeliver(string $id, ?string $event_id = null, ?string $idempotency_key = null): Redelivery
    {
        $body = $event_id === null ? [] : compact('event_id');
        return Redelivery::read($this->transport->call('POST', self::path($id) . '/redeliver', [], $body, $idempotency_key));
    }

    /** The deliveries of the last 90 days, newest first, with their attempts. */
    public function deliveries(string $id, ?int $before = null, ?int $per_page = null): DeliveryList
    {
        return DeliveryList::read(
            $this->transport->call('GET', self::path($id) . '/deliveries', compact('before', 'per_page')),
        );
    }

    private static function path(string $id): string
    {
        return '/mapi/webhooks/' . Bitpro::plain($id);
    }
}
