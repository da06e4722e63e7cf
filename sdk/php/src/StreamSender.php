<?php

declare(strict_types=1);

namespace Bitpro;

/** PHP's own HTTP, which needs no extension but openssl. */
final class StreamSender implements Sender
{
    public function __construct(private readonly float $timeout_secs = 20.0)
    {
    }

    public function send(string $method, string $url, array $headers, ?string $body): Answer
    {
        $lines = [];
        foreach ([...$headers, 'Connection' => 'close'] as $name => $value) {
            $lines[] = "$name: $value";
        }
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => $lines,
            'content' => $body ?? '',
            'ignore_errors' => true,
            'follow_location' => 0,
            'protocol_version' => 1.1,
            'timeout' => $this->timeout_secs,
        ]]);
        $stream = @fopen($url, 'r', false, $context);
        if ($stream === false) {
            throw new ConnectionException('no answer: ' . (error_get_last()['message'] ?? 'unknown'));
        }
        $received = @stream_get_contents($stream);
        $meta = stream_get_meta_data($stream);
        fclose($stream);
        if ($received === false || $meta['timed_out']) {
            throw new ConnectionException('no answer in time');
        }
        return self::answer($meta['wrapper_data'] ?? [], $received);
    }

    /** @param list<string> $lines */
    private static function answer(array $lines, string $body): Answer
    {
        $status = 0;
        $headers = [];
        foreach ($lines as $line) {
            if (preg_match('~^HTTP/\S+ (\d{3})~', $line, $found) === 1) {
                // An interim answer may come before.
                [$status, $headers] = [(int) $found[1], []];
            } elseif (str_contains($line, ':')) {
                [$name, $value] = explode(':', $line, 2);
                $headers[strtolower($name)] = trim($value);
            }
        }
        if (isset($headers['content-length']) && (int) $headers['content-length'] !== strlen($body)) {
            throw new ConnectionException('the answer was cut off');
        }
        return new Answer($status, $headers, $body);
    }
}
