<?php

declare(strict_types=1);

namespace Bitpro;

/** Signed links: payment links whose price and order nobody can edit. */
final class Links
{
    /**
     * A signed link. Values are signed as they are given; what is empty is left out.
     *
     * @param string $server as in `https://pay.example`
     * @param string $key the link key: 64 hexadecimal digits; keep it on your server
     * @param ?string $lang the page's language; it is not signed
     * @param ?int $exp from when on the link is refused, in Unix seconds; by default a day from now
     */
    public static function sign(
        string $server,
        string $merchant_id,
        string $key,
        int $fiat_price_cents,
        ?string $fiat_currency = null,
        ?string $external_order_id = null,
        ?string $buyer_email = null,
        ?string $lang = null,
        ?int $exp = null,
    ): string {
        if (preg_match('/^[0-9a-f]{64}$/iD', $key) !== 1) {
            throw new \InvalidArgumentException('a link key has 64 hexadecimal digits');
        }
        $exp ??= time() + 86400;
        if ($exp < 0 || $exp > 999_999_999_999) {
            throw new \InvalidArgumentException('exp is not a time in Unix seconds');
        }
        $message = self::message($merchant_id, $exp, $fiat_price_cents, $fiat_currency, $external_order_id, $buyer_email);
        $query = Signing::query([
            'fiat_price_cents' => $fiat_price_cents,
            'fiat_currency' => self::given($fiat_currency),
            'external_order_id' => self::given($external_order_id),
            'buyer_email' => self::given($buyer_email),
            'lang' => self::given($lang),
            'exp' => $exp,
            'sig' => hash_hmac('sha256', $message, (string) hex2bin($key)),
        ]);
        return rtrim($server, '/') . '/app/checkout/' . strtolower($merchant_id) . "?$query";
    }

    /** The message under a link's signature: seven netstrings, `-,` for what the link does not have. */
    public static function message(
        string $merchant_id,
        int $exp,
        int $fiat_price_cents,
        ?string $fiat_currency = null,
        ?string $external_order_id = null,
        ?string $buyer_email = null,
    ): string {
        if (preg_match('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iD', $merchant_id) !== 1) {
            throw new \InvalidArgumentException('the merchant id is not a UUID');
        }
        $covered = [(string) $fiat_price_cents, $fiat_currency, $external_order_id, $buyer_email];
        $message = '';
        foreach (['bitpro-link-1', strtolower($merchant_id), ...$covered, (string) $exp] as $value) {
            $value = self::given($value);
            $message .= $value === null ? '-,' : strlen($value) . ":$value,";
        }
        return $message;
    }

    private static function given(?string $value): ?string
    {
        return $value === '' ? null : $value;
    }
}
