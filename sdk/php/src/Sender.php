<?php

declare(strict_types=1);

namespace Bitpro;

/** Sends a request as it is: another one than PHP's streams can stand in, such as a pool of connections. */
interface Sender
{
    /**
     * Follows no redirect, and gives the body without any decoding but that of chunks.
     *
     * @param array<string, string> $headers by name
     * @throws ConnectionException when no answer comes
     */
    public function send(string $method, string $url, array $headers, ?string $body): Answer;
}
