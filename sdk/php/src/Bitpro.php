<?php

declare(strict_types=1);

namespace Bitpro;

use Bitpro\Types\Rate;

/** A client of one server, with one API key. */
final class Bitpro
{
    public readonly Charges $charges;
    public readonly Events $events;
    public readonly Webhooks $webhooks;
    private readonly Transport $transport;

    /**
     * @param string $url the server, as in `https://pay.example`
     * @param string $key_id the id of an API key; that of the first key is the merchant's id
     * @param string $secret the key's secret, as the dashboard shows it once
     * @param float $timeout_secs how long to wait for an answer
     * @param int $retries how often a request is repeated at most
     * @param float $longest_wait_secs the longest pause that is waited for; a server that asks for a longer one is not asked again
     * @param bool $allow_http allows `http://` to another machine: answers are signed all the same, but anyone on the way can read them
     * @param ?Sender $sender in place of PHP's streams
     * @param ?\Closure $now the time in seconds, for tests
     * @param ?\Closure $pause waits, for tests
     */
    public function __construct(
        string $url,
        string $key_id,
        #[\SensitiveParameter] string $secret,
        float $timeout_secs = 20.0,
        int $retries = 2,
        float $longest_wait_secs = 20.0,
        bool $allow_http = false,
        ?Sender $sender = null,
        ?\Closure $now = null,
        ?\Closure $pause = null,
    ) {
        $this->transport = new Transport(
            $url,
            $key_id,
            $secret,
            $timeout_secs,
            $retries,
            $longest_wait_secs,
            $allow_http,
            $sender,
            $now,
            $pause,
        );
        $this->charges = new Charges($this->transport);
        $this->events = new Events($this->transport);
        $this->webhooks = new Webhooks($this->transport);
    }

    /** The rate that a charge created now would use. */
    public function rate(): Rate
    {
        return Rate::read($this->transport->call('GET', '/mapi/rate'));
    }

    /** An id that could lead elsewhere must not get into a path that we sign. */
    public static function plain(string $id): string
    {
        if (preg_match('/^[0-9A-Za-z-]{1,64}$/D', $id) !== 1) {
            throw new \InvalidArgumentException(json_encode($id) . ' is not an id');
        }
        return $id;
    }
}
