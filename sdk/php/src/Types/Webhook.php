<?php

declare(strict_types=1);

namespace Bitpro\Types;

/** A webhook: one state, one URL. */
final class Webhook extends Shape
{
    /**
     * @param ?string $paused_at when deliveries stopped because the receiver answered 410
     * @param int $pending pending deliveries
     * @param ?string $secret only in the answer that created it
     */
    public function __construct(
        public readonly string $id,
        public readonly string $merchant_id,
        public readonly string $state,
        public readonly string $url,
        public readonly string $created_at,
        public readonly ?string $paused_at,
        public readonly ?string $former_secret_until,
        public readonly int $pending,
        public readonly ?string $secret,
        array $raw,
    ) {
        parent::__construct($raw);
    }
}
