<?php

declare(strict_types=1);

namespace Bitpro\Tests;

use Bitpro\Answer;
use Bitpro\ConnectionException;
use Bitpro\Sender;

const SECRET = 'W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI=';

/** A server that is a function of the request and its number; it knows what it saw, and how long the client paused. */
final class Served implements Sender
{
    /** @var list<array{method: string, url: string, headers: array<string, string>, body: ?string}> */
    public array $seen = [];
    /** @var list<float> */
    public array $pauses = [];

    public function __construct(private readonly \Closure $answer)
    {
    }

    /** @return array<string, mixed> */
    public function options(mixed ...$more): array
    {
        return [
            'url' => 'https://pay.example',
            'key_id' => 'efdde334-fe7b-11e4-a322-1697f925ec7b',
            'secret' => SECRET,
            'sender' => $this,
            'now' => static fn () => 1432075982,
            'pause' => function (float $secs): void {
                $this->pauses[] = $secs;
            },
            ...$more,
        ];
    }

    public function send(string $method, string $url, array $headers, ?string $body): Answer
    {
        $this->seen[] = compact('method', 'url', 'headers', 'body');
        $reply = ($this->answer)(count($this->seen));
        if ($reply === null) {
            throw new ConnectionException('lost');
        }
        $text = $reply['body'] ?? '{}';
        $answered = $reply['headers'] ?? [];
        $kind = $reply['signature'] ?? 'right';
        if ($kind !== 'none') {
            $secret = $kind === 'right' ? base64_decode(SECRET) : str_repeat("\7", 32);
            $signed = nonce_of($headers) . "\n" . $headers['X-Authorization-Timestamp'] . "\n" . $text;
            $answered['x-server-authorization-hmac-sha256'] = base64_encode(hash_hmac('sha256', $signed, $secret, true));
        }
        return new Answer($reply['status'] ?? 200, $answered, $text);
    }
}

/** @param array<string, string> $headers */
function nonce_of(array $headers): string
{
    preg_match('/nonce="([^"]*)"/', $headers['Authorization'], $found);
    return $found[1];
}

/** @return array<string, mixed> */
function vectors(string $name): array
{
    return json_decode(file_get_contents(__DIR__ . "/../../vectors/$name.json"), true, 512, JSON_THROW_ON_ERROR);
}

function same(mixed $found, mixed $wanted, string $says): void
{
    if ($found !== $wanted) {
        throw new \RuntimeException("$says: " . var_export($found, true) . ' is not ' . var_export($wanted, true));
    }
}

/** @param class-string<\Throwable> $class */
function throws(string $class, \Closure $does, string $says): \Throwable
{
    try {
        $does();
    } catch (\Throwable $error) {
        same($error instanceof $class, true, "$says ($error)");
        return $error;
    }
    throw new \RuntimeException("$says: nothing was thrown");
}
