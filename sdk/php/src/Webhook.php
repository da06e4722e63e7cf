<?php

declare(strict_types=1);

namespace Bitpro;

use Bitpro\Types\Delivery;

/** Webhook deliveries: genuine or not (Standard Webhooks). */
final class Webhook
{
    /**
     * Verifies a delivery and reads it. Give the raw body (`file_get_contents('php://input')`), and the secret of each webhook that
     * leads to this URL; while you rotate one, both.
     *
     * @param array<string, string|list<string>> $headers by name, as of `getallheaders()`, PSR-7 or `$_SERVER`
     * @param string|list<string> $secrets
     * @throws WebhookException when the delivery is not to be believed
     */
    public static function verify(
        string $body,
        array $headers,
        #[\SensitiveParameter] string|array $secrets,
        int $tolerance_secs = 300,
        ?int $now = null,
    ): Delivery {
        $id = self::header($headers, 'webhook-id');
        $at = self::header($headers, 'webhook-timestamp');
        $given = self::header($headers, 'webhook-signature');
        if ($id === '' || $at === '' || $given === '') {
            throw new WebhookException('missing-header', 'a header of the signature is missing');
        }
        $keys = array_map(self::key(...), (array) $secrets);
        if (!self::isSigned($keys, "$id.$at.$body", $given)) {
            throw new WebhookException('wrong-signature', 'no secret of ours made this signature');
        }
        $now ??= time();
        if (preg_match('/^[0-9]{1,12}$/D', $at) !== 1 || abs($now - (int) $at) > $tolerance_secs) {
            throw new WebhookException('stale-timestamp', 'the delivery is too old, or one of the clocks is wrong');
        }
        $document = json_decode($body, true, 512, JSON_BIGINT_AS_STRING);
        if (!is_array($document) || !is_array($document['event']['data'] ?? null)) {
            throw new WebhookException('malformed-body', 'the body is not a delivery');
        }
        return Delivery::read($document);
    }

    /**
     * All signatures are compared with all keys, so that the time taken tells nothing.
     *
     * @param list<string> $keys
     */
    private static function isSigned(array $keys, string $message, string $given): bool
    {
        $found = false;
        foreach ($keys as $key) {
            $right = 'v1,' . Signing::sign($key, $message);
            foreach (explode(' ', $given) as $signature) {
                $found = hash_equals($right, $signature) || $found;
            }
        }
        return $found;
    }

    private static function key(#[\SensitiveParameter] string $secret): string
    {
        $text = trim($secret);
        $key = base64_decode(str_starts_with($text, 'whsec_') ? substr($text, 6) : $text, true);
        if ($key === false || strlen($key) < 16) {
            throw new \InvalidArgumentException("a webhook's secret is whsec_ and base64");
        }
        return $key;
    }

    /** @param array<string, string|list<string>> $headers */
    private static function header(array $headers, string $name): string
    {
        foreach ($headers as $key => $value) {
            $key = str_replace('_', '-', strtolower((string) $key));
            if ($key === $name || $key === "http-$name") {
                return is_array($value) ? (string) ($value[0] ?? '') : (string) $value;
            }
        }
        return '';
    }
}
