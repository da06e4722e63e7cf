<?php

declare(strict_types=1);

namespace Bitpro;

/** An answer as it comes in. */
final class Answer
{
    /** @param array<string, string> $headers by their names in lower case */
    public function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly string $body,
    ) {
    }

    /** @return ?array<string, mixed> */
    public function document(): ?array
    {
        $document = json_decode($this->body, true, 512, JSON_BIGINT_AS_STRING);
        return is_array($document) ? $document : null;
    }
}
