<?php

declare(strict_types=1);

namespace Bitpro;

/** What is signed, and how: Acquia HTTP HMAC 2.0. */
final class Signing
{
    /** What every request to a Bitpro server is signed for. */
    public const REALM = 'Bitpro';

    /**
     * A query string of these parameters, in their order. Every byte but the unreserved characters of RFC 3986 is escaped, because the
     * query is signed as it is sent. What is null is left out.
     *
     * @param array<string, scalar|null> $parameters
     */
    public static function query(array $parameters): string
    {
        $pairs = [];
        foreach ($parameters as $name => $value) {
            if ($value !== null) {
                $pairs[] = rawurlencode((string) $name) . '=' . rawurlencode((string) $value);
            }
        }
        return implode('&', $pairs);
    }

    /** The secret's bytes. */
    public static function secretBytes(string $secret): string
    {
        $bytes = base64_decode($secret, true);
        if ($bytes === false || strlen($bytes) < 16) {
            throw new \InvalidArgumentException('the secret is not the base64 that the dashboard shows for an API key');
        }
        return $bytes;
    }

    /** The value of `X-Authorization-Content-SHA256`. */
    public static function contentHash(string $body): string
    {
        return base64_encode(hash('sha256', $body, true));
    }

    /** The text under the signature. */
    public static function stringToSign(
        string $method,
        string $host,
        string $path,
        string $query,
        string $id,
        string $nonce,
        string $timestamp,
        ?string $body = null,
        string $realm = self::REALM,
    ): string {
        $lines = [
            strtoupper($method),
            strtolower($host),
            $path,
            $query,
            'id=' . rawurlencode($id) . '&nonce=' . rawurlencode($nonce) . '&realm=' . rawurlencode($realm) . '&version=2.0',
            $timestamp,
        ];
        if ($body !== null && $body !== '') {
            array_push($lines, 'application/json', self::contentHash($body));
        }
        return implode("\n", $lines);
    }

    /** The value of `Authorization` for a text that was made by `stringToSign`. */
    public static function authorization(
        string $secret,
        string $text,
        string $id,
        string $nonce,
        string $realm = self::REALM,
    ): string {
        $values = [
            'realm' => $realm,
            'id' => $id,
            'nonce' => $nonce,
            'version' => '2.0',
            'headers' => '',
            'signature' => self::sign($secret, $text),
        ];
        $attributes = [];
        foreach ($values as $name => $value) {
            $attributes[] = $name . '="' . rawurlencode($value) . '"';
        }
        return 'acquia-http-hmac ' . implode(',', $attributes);
    }

    /** Whether `$signature`, the value of `X-Server-Authorization-HMAC-SHA256`, is the server's of this answer to this request. */
    public static function isAnswerGenuine(
        string $secret,
        string $nonce,
        string $timestamp,
        string $body,
        string $signature,
    ): bool {
        return hash_equals(self::sign($secret, "$nonce\n$timestamp\n$body"), $signature);
    }

    public static function sign(string $secret, string $text): string
    {
        return base64_encode(hash_hmac('sha256', $text, $secret, true));
    }

    /** A random UUID in lower case. */
    public static function uuid(): string
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }
}
