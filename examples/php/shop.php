<?php // A shop with a user table of its own, and WeChat beside its passwords: php -S 127.0.0.1:3000 shop.php
// A WordPress plugin does the same in WordPress's words: ask() is wp_remote_post(), the token is wp_nonce_field() and
// check_admin_referer(), enter() is wp_set_auth_cookie(), and the subject is user meta:
// get_users(['meta_key' => 'wechat_sub', 'meta_value' => $person['sub']]) finds whom it belongs to.
session_start();
$_SESSION['csrf'] ??= bin2hex(random_bytes(16));
$table = getenv('DATA') . '/users.json';
$users = json_decode(@file_get_contents($table) ?: '{"alice":{"name":"alice","password":"correct horse","sub":null,"openid":null}}', true);
$own = $users[$_SESSION['user'] ?? ''] ?? null;

function ask(string $url, string $key, ?array $body = null): ?array {
    $http = ['method' => $body ? 'POST' : 'GET', 'content' => json_encode($body), 'timeout' => 5,
        'header' => "Authorization: Bearer $key\r\nContent-Type: application/json"];
    $answer = @file_get_contents($url, false, stream_context_create(['http' => $http]));
    return $answer === false ? null : json_decode($answer, true);
}
function refuse(int $status): never { http_response_code($status); exit; }
function enter(?string $name): never { session_regenerate_id(true); $_SESSION['user'] = $name; header('Location: /', true, 303); exit; }

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    if (!hash_equals($_SESSION['csrf'], $_POST['csrf'] ?? '')) refuse(403);
    switch ($_SERVER['REQUEST_URI']) {
        case '/password':
            $user = $users[$_POST['name']] ?? null;
            if (!isset($user['password']) || !hash_equals($user['password'], $_POST['password'])) refuse(403);
            enter($user['name']);
        case '/wechat':
            $person = ask(getenv('SITE') . '/v1/tickets/redeem', getenv('SITE_KEY'), ['ticket' => $_POST['ticket']])['user'] ?? refuse(403);
            $known = current(array_filter($users, fn($user) => $user['sub'] === $person['sub'])) ?: null;
            if ($own && $known && $known['name'] !== $own['name']) refuse(409); // It belongs to another account of the shop.
            $user = $own ?? $known ?? ['name' => "wx-{$person['sub']}"];
            $users[$user['name']] = ['sub' => $person['sub'], 'openid' => $person['openid']] + $user;
            file_put_contents($table, json_encode($users), LOCK_EX);
            enter($user['name']);
        case '/out':
            enter(null);
    }
}
$follows = isset($own['openid']) && (ask(getenv('GATEWAY') . "/v1/members/{$own['openid']}", getenv('GATEWAY_KEY'))['subscribed'] ?? false);
echo strtr(file_get_contents(__DIR__ . '/../page.html'), ['{{login}}' => getenv('LOGIN'), '{{csrf}}' => $_SESSION['csrf'],
    '{{who}}' => htmlspecialchars($own['name'] ?? '未登录'), '{{following}}' => $follows ? '已关注' : '未关注']);
