<?php

declare(strict_types=1);

namespace Bitpro;

/** One call: signed, sent, verified, and repeated where that is safe. */
final class Transport
{
    private const MEDIA_TYPE = 'application/vnd.bitpro-mapi-20180503+json';
    /** The first pause before a repetition, in seconds; each further one is twice as long. */
    private const FIRST_PAUSE = 0.5;

    private readonly string $host;
    private readonly string $origin;
    private readonly string $secret;
    private readonly Sender $sender;
    private readonly \Closure $now;
    private readonly \Closure $pause;

    public function __construct(
        string $url,
        private readonly string $key_id,
        #[\SensitiveParameter] string $secret,
        float $timeout_secs = 20.0,
        private readonly int $retries = 2,
        private readonly float $longest_wait_secs = 20.0,
        bool $allow_http = false,
        ?Sender $sender = null,
        ?\Closure $now = null,
        ?\Closure $pause = null,
    ) {
        $parts = parse_url($url) ?: [];
        $scheme = strtolower($parts['scheme'] ?? '');
        $name = strtolower($parts['host'] ?? '');
        $is_local = in_array($name, ['localhost', '127.0.0.1', '[::1]'], true);
        if ($scheme !== 'https' && !($scheme === 'http' && ($is_local || $allow_http))) {
            throw new \InvalidArgumentException("$url is not https; for a server in your own network, set allow_http");
        }
        $more = array_diff_key($parts, ['scheme' => 1, 'host' => 1, 'port' => 1, 'path' => 1]);
        if ($name === '' || $more !== [] || !in_array($parts['path'] ?? '/', ['', '/'], true)) {
            throw new \InvalidArgumentException("$url is not an origin such as https://pay.example");
        }
        $usual = $scheme === 'https' ? 443 : 80;
        $port = $parts['port'] ?? $usual;
        $this->host = $port === $usual ? $name : "$name:$port";
        $this->origin = "$scheme://$this->host";
        $this->secret = Signing::secretBytes($secret);
        $this->sender = $sender ?? new StreamSender($timeout_secs);
        $this->now = $now ?? time(...);
        $this->pause = $pause ?? static fn (float $secs) => usleep((int) ($secs * 1_000_000));
    }

    /**
     * Carries out a call, and gives the answer's document.
     *
     * @param array<string, scalar|null> $query
     * @param ?array<string, mixed> $body
     * @param bool $once_only whether a repetition could do something twice
     * @return array<string, mixed>
     */
    public function call(
        string $method,
        string $path,
        array $query = [],
        ?array $body = null,
        ?string $idempotency_key = null,
        bool $once_only = false,
    ): array {
        $text = Signing::query($query);
        $document = $body === null ? null : self::write($body);
        if ($method !== 'GET') {
            $idempotency_key ??= Signing::uuid();
        }
        for ($attempt = 0; ; $attempt++) {
            try {
                return $this->once($method, $path, $text, $document, $idempotency_key);
            } catch (BitproException $error) {
                $wait = self::pauseBefore($error, $attempt, $once_only);
                if ($wait === null || $attempt >= $this->retries || $wait > $this->longest_wait_secs) {
                    throw $error;
                }
                ($this->pause)($wait);
            }
        }
    }

    /**
     * Each attempt has a nonce and a time of its own.
     *
     * @return array<string, mixed>
     */
    private function once(string $method, string $path, string $query, ?string $body, ?string $idempotency_key): array
    {
        $nonce = Signing::uuid();
        $timestamp = (string) (int) ($this->now)();
        $text = Signing::stringToSign($method, $this->host, $path, $query, $this->key_id, $nonce, $timestamp, $body);
        $headers = [
            'Host' => $this->host,
            'Accept' => self::MEDIA_TYPE,
            'Accept-Encoding' => 'identity',
            'Authorization' => Signing::authorization($this->secret, $text, $this->key_id, $nonce),
            'X-Authorization-Timestamp' => $timestamp,
        ];
        if ($body !== null) {
            $headers['Content-Type'] = 'application/json';
            $headers['X-Authorization-Content-SHA256'] = Signing::contentHash($body);
        }
        if ($idempotency_key !== null) {
            $headers['Idempotency-Key'] = $idempotency_key;
        }
        $answer = $this->sender->send($method, $this->origin . $path . ($query === '' ? '' : "?$query"), $headers, $body);
        $signature = $answer->headers['x-server-authorization-hmac-sha256'] ?? null;
        $is_signed = $signature !== null;
        if ($is_signed && !Signing::isAnswerGenuine($this->secret, $nonce, $timestamp, $answer->body, $signature)) {
            throw new UnverifiedAnswerException($answer->status, forged: true);
        }
        return self::read($answer, $is_signed);
    }

    /** How long to wait before the same is asked again, in seconds; null when it must not be. */
    private static function pauseBefore(BitproException $error, int $attempt, bool $once_only): ?float
    {
        $usual = self::FIRST_PAUSE * 2 ** $attempt * (1 + random_int(0, 500) / 1000);
        if ($error instanceof ApiException) {
            if ($error->status === 429) {
                return $error->retry_after;
            }
            return $error->status === 503 && !$once_only ? $error->retry_after ?? $usual : null;
        }
        $is_lost = $error instanceof ConnectionException;
        $is_proxys = $error instanceof UnverifiedAnswerException
            && !$error->forged
            && in_array($error->status, [502, 503, 504], true);
        return ($is_lost || $is_proxys) && !$once_only ? $usual : null;
    }

    /** @return array<string, mixed> */
    private static function read(Answer $answer, bool $is_signed): array
    {
        $status = $answer->status;
        if ($status >= 200 && $status < 300) {
            return $is_signed ? $answer->document() ?? [] : throw new UnverifiedAnswerException($status);
        }
        $is_problem = str_starts_with($answer->headers['content-type'] ?? '', 'application/problem+json');
        $problem = $is_problem ? $answer->document() : null;
        if (!is_string($problem['code'] ?? null)) {
            throw $is_signed
                ? new BitproException("status $status without a problem's document")
                : new UnverifiedAnswerException($status);
        }
        $seconds = $answer->headers['retry-after'] ?? '';
        $retry_after = preg_match('/^[0-9]{1,9}$/D', $seconds) === 1 ? (int) $seconds : null;
        throw new ApiException($status, $problem, $retry_after, $is_signed);
    }

    /** @param array<string, mixed> $body */
    private static function write(array $body): string
    {
        $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;
        return $body === [] ? '{}' : json_encode($body, $flags);
    }
}
