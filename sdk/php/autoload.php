<?php

declare(strict_types=1);

// For projects without Composer.
spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Bitpro\\')) {
        $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, 7)) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
