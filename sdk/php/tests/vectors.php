<?php

declare(strict_types=1);

namespace Bitpro\Tests;

use Bitpro\ApiException;
use Bitpro\Bitpro;
use Bitpro\BitproException;
use Bitpro\Charges;
use Bitpro\Events;
use Bitpro\Links;
use Bitpro\Signing;
use Bitpro\Transport;
use Bitpro\UnverifiedAnswerException;
use Bitpro\Webhook;
use Bitpro\WebhookException;
use Bitpro\Webhooks;

// The conformance vectors that all SDKs share.
return [
    'requests are signed as the vectors say' => function (): void {
        ['id' => $id, 'secret' => $secret, 'nonce' => $nonce, 'timestamp' => $timestamp, 'vectors' => $cases] = vectors('requests');
        same(count($cases) >= 9, true, 'enough vectors');
        foreach ($cases as $one) {
            $query = Signing::query(array_column($one['parameters'], 1, 0));
            same($query, $one['query'], $one['says']);
            $text = Signing::stringToSign(
                $one['method'],
                $one['host'],
                $one['path'],
                $query,
                $id,
                $nonce,
                $timestamp,
                $one['body'],
                $one['realm'],
            );
            same($text, $one['string_to_sign'], $one['says']);
            $header = Signing::authorization(Signing::secretBytes($secret), $text, $id, $nonce, $one['realm']);
            same($header, $one['authorization'], $one['says']);
            if ($one['body'] !== null) {
                same(Signing::contentHash($one['body']), $one['content_sha256'], $one['says']);
            }
        }
    },
    'what is sent is what was signed' => function (): void {
        ['id' => $id, 'secret' => $secret, 'timestamp' => $timestamp, 'vectors' => $cases] = vectors('requests');
        foreach ($cases as $one) {
            if ($one['realm'] !== 'Bitpro') {
                continue;
            }
            $served = new Served(static fn () => []);
            $way = new Transport(...$served->options(url: $one['url'], key_id: $id));
            $body = $one['body'] === null ? null : json_decode($one['body'], true);
            $way->call($one['method'], $one['path'], array_column($one['parameters'], 1, 0), $body);
            [$sent] = $served->seen;
            $scheme = explode('://', $one['url'])[0];
            $mark = $one['query'] === '' ? '' : '?';
            same($sent['url'], "$scheme://{$one['host']}{$one['path']}$mark{$one['query']}", $one['says']);
            same($sent['headers']['Host'], $one['host'], $one['says']);
            same($sent['body'], $one['body'], $one['says']);
            $nonce = nonce_of($sent['headers']);
            same(preg_match('/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/', $nonce), 1, $nonce);
            $text = Signing::stringToSign(
                $one['method'],
                $one['host'],
                $one['path'],
                $one['query'],
                $id,
                $nonce,
                $timestamp,
                $one['body'],
            );
            $wanted = Signing::authorization(Signing::secretBytes($secret), $text, $id, $nonce);
            same($sent['headers']['Authorization'], $wanted, $one['says']);
        }
    },
    'answers are believed as the vectors say' => function (): void {
        ['secret' => $secret, 'vectors' => $cases] = vectors('answers');
        foreach ($cases as $one) {
            $found = Signing::isAnswerGenuine(
                Signing::secretBytes($secret),
                $one['nonce'],
                $one['timestamp'],
                $one['body'],
                $one['signature'],
            );
            same($found, $one['genuine'], $one['says']);
        }
    },
    'problems become exceptions as the vectors say' => function (): void {
        ['longest_wait_secs' => $longest, 'vectors' => $cases] = vectors('errors');
        foreach ($cases as $one) {
            $served = new Served(static fn () => $one);
            $way = new Transport(...$served->options(longest_wait_secs: (float) $longest));
            $error = throws(BitproException::class, static fn () => $way->call('POST', '/mapi/charges', [], []), $one['says']);
            $wanted = $one['error'];
            same($error->status, $wanted['status'], $one['says']);
            same($error::class, $wanted['kind'] === 'api' ? ApiException::class : UnverifiedAnswerException::class, $one['says']);
            if ($error instanceof ApiException) {
                same($error->problem_code, $wanted['code'], $one['says']);
                foreach (['title', 'request_id', 'field', 'retry_after', 'signed'] as $name) {
                    same($error->$name, $wanted[$name], "{$one['says']}: $name");
                }
                same($error->problem, json_decode($one['body'], true), $one['says']);
            }
            same(count($served->seen), $one['repeated'] ? 3 : 1, $one['says']);
            if ($one['repeated'] && isset($wanted['retry_after'])) {
                same($served->pauses, [(float) $wanted['retry_after'], (float) $wanted['retry_after']], $one['says']);
            }
        }
    },
    'deliveries are verified as the vectors say' => function (): void {
        ['tolerance_secs' => $tolerance, 'vectors' => $cases] = vectors('webhooks');
        foreach ($cases as $one) {
            $names = array_keys($one['headers']);
            $as_server = array_map(static fn (string $name) => 'HTTP_' . strtoupper(strtr($name, '-', '_')), $names);
            $as_psr_7 = array_map(static fn (string $value) => [$value], $one['headers']);
            foreach ([$one['headers'], array_combine($as_server, $one['headers']), $as_psr_7] as $headers) {
                try {
                    $delivery = Webhook::verify($one['body'], $headers, $one['secrets'], $tolerance, $one['now']);
                    $found = 'genuine';
                    same($delivery->raw, json_decode($one['body'], true), $one['says']);
                    same($delivery->test, true, $one['says']);
                    same($delivery->event->data->fiat_price_cents, 0, $one['says']);
                } catch (WebhookException $error) {
                    $found = $error->failure;
                }
                same($found, $one['outcome'], $one['says']);
            }
        }
    },
    'links are signed as the vectors say' => function (): void {
        ['server' => $server, 'key' => $key, 'vectors' => $cases] = vectors('links');
        same(count($cases) >= 11, true, 'enough vectors');
        foreach ($cases as $one) {
            $covered = [$one['fiat_price_cents'], $one['fiat_currency'], $one['external_order_id'], $one['buyer_email']];
            same(Links::message($one['merchant_id'], $one['exp'], ...$covered), $one['message'], $one['says']);
            $link = Links::sign($server, $one['merchant_id'], $key, ...[...$covered, $one['lang'], $one['exp']]);
            same($link, $one['url'], $one['says']);
        }
    },
    'every call of the API is there' => function (): void {
        $shapes = vectors('shapes');
        $answers = array_column($shapes['calls'], 'answer');
        $served = new Served(static fn (int $count) => ['body' => json_encode(document($answers[$count - 1]))]);
        $bitpro = new Bitpro(...$served->options());
        $bitpro->charges->page();
        $bitpro->charges->create(4200);
        $bitpro->charges->get('ID');
        $bitpro->charges->cancel('ID', 0);
        $bitpro->charges->accept('ID', 3, ['5e:0']);
        $bitpro->events->page();
        $bitpro->rate();
        $bitpro->webhooks->list();
        $bitpro->webhooks->create('charge:confirmed', 'https://shop.example/hooks');
        $bitpro->webhooks->remove('ID');
        $bitpro->webhooks->rotate('ID', 0);
        $bitpro->webhooks->test('ID');
        $bitpro->webhooks->redeliver('ID');
        $bitpro->webhooks->deliveries('ID');
        $called = array_map(
            static fn (array $sent) => $sent['method'] . ' ' . str_replace(['https://pay.example', 'ID'], ['', '{id}'], $sent['url']),
            $served->seen,
        );
        same($called, array_map(static fn (array $call) => "{$call['method']} {$call['path']}", $shapes['calls']), 'calls');
        foreach ($served->seen as $sent) {
            same($sent['body'] === null || str_starts_with($sent['body'], '{'), true, 'a body is an object');
        }
    },
    "every member of the API's documents has its property" => function (): void {
        $sorted = static function (array $names): array {
            sort($names);
            return $names;
        };
        $shapes = vectors('shapes');
        foreach ($shapes['shapes'] as $name => $shape) {
            if ($name !== 'Problem') {
                $class = 'Bitpro\\Types\\' . ($name === 'Delivery' ? 'PastDelivery' : $name);
                same($sorted($class::members()), $sorted($shape['members']), $name);
            }
        }
        $methods = [
            'listCharges' => [Charges::class, 'page'],
            'listEvents' => [Events::class, 'page'],
            'listDeliveries' => [Webhooks::class, 'deliveries'],
            'createCharge' => [Charges::class, 'create'],
        ];
        foreach ($shapes['calls'] as $call) {
            if (isset($methods[$call['name']])) {
                $parameters = (new \ReflectionMethod(...$methods[$call['name']]))->getParameters();
                $known = array_map(static fn (\ReflectionParameter $one) => $one->getName(), $parameters);
                $known = array_values(array_diff($known, ['id', 'idempotency_key']));
                same($sorted($known), $sorted([...$call['query'], ...$call['body'] ?? []]), $call['name']);
            }
        }
    },
    "the README's programs are the examples that are run against the server" => function (): void {
        $readme = file_get_contents(__DIR__ . '/../README.md');
        foreach (['quickstart', 'receiver', 'link'] as $name) {
            $example = file_get_contents(__DIR__ . "/../examples/$name.php");
            same(str_contains($readme, "```php\n$example```\n"), true, $name);
        }
    },
];
