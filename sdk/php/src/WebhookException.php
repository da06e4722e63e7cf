<?php

declare(strict_types=1);

namespace Bitpro;

/** A webhook delivery that is not to be believed. Answer it with 401 and do nothing else. */
final class WebhookException extends BitproException
{
    /** @param string $failure `missing-header`, `wrong-signature`, `stale-timestamp` or `malformed-body` */
    public function __construct(public readonly string $failure, string $message)
    {
        parent::__construct($message);
    }
}
