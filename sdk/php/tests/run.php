<?php

declare(strict_types=1);

// Runs all tests with nothing but PHP: `php tests/run.php`.
error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    if ((error_reporting() & $level) !== 0) {
        throw new ErrorException($message, 0, $level, $file, $line);
    }
    return false;
});
require __DIR__ . '/../autoload.php';
require __DIR__ . '/served.php';
require __DIR__ . '/documents.php';

[$passed, $failed] = [0, 0];
foreach (['vectors', 'transport'] as $part) {
    foreach (require __DIR__ . "/$part.php" as $name => $test) {
        try {
            $test();
            $passed++;
        } catch (Throwable $error) {
            $failed++;
            echo "FAILED $name\n  {$error->getMessage()}\n  {$error->getFile()}:{$error->getLine()}\n";
        }
    }
}
echo "php: $passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
