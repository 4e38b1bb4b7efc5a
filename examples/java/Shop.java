// A shop with a user table of its own, and WeChat beside its passwords: java -Dfile.encoding=UTF-8 Shop.java
import com.sun.net.httpserver.*;
import java.net.*;
import java.net.http.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.*;
import static java.nio.charset.StandardCharsets.UTF_8;

public class Shop {
    record User(String name, String password, String sub, String openid) {}
    static final Map<String, User> users = new ConcurrentHashMap<>(Map.of("alice", new User("alice", "correct horse", null, null)));
    static final Map<String, String> sessions = new ConcurrentHashMap<>(); // Session to user; "" is nobody.
    static final String SECRET = UUID.randomUUID().toString();
    static String csrf(String session) { return UUID.nameUUIDFromBytes((SECRET + session).getBytes(UTF_8)).toString(); }
    static String env(String name) { return System.getenv(name); }
    static String member(String json, String name) { // Subjects and openids hold no escapes.
        Matcher found = Pattern.compile("\"" + name + "\":\"?([A-Za-z0-9_-]+)").matcher(json);
        return found.find() ? found.group(1) : null;
    }
    static HttpResponse<String> ask(String url, String key, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + key).header("Content-Type", "application/json");
        if (body != null) request.POST(HttpRequest.BodyPublishers.ofString(body));
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
    static int post(String path, Map<String, String> form, String session, User own) throws Exception {
        if (!csrf(session).equals(form.get("csrf"))) return 403;
        User user = null;
        if (path.equals("/password")) {
            user = users.get(form.getOrDefault("name", ""));
            if (user == null || user.password() == null || !user.password().equals(form.get("password"))) return 403;
        } else if (path.equals("/wechat")) {
            var answer = ask(env("SITE") + "/v1/tickets/redeem", env("SITE_KEY"), "{\"ticket\":\"" + form.getOrDefault("ticket", "").replaceAll("[^\\w-]", "") + "\"}");
            if (answer.statusCode() != 200) return 403;
            String sub = member(answer.body(), "sub"), openid = member(answer.body(), "openid");
            User known = users.values().stream().filter(any -> sub.equals(any.sub())).findFirst().orElse(null);
            if (own != null && known != null && !known.name().equals(own.name())) return 409; // Another account's.
            User old = own != null ? own : known != null ? known : new User("wx-" + sub, null, null, null);
            users.put(old.name(), user = new User(old.name(), old.password(), sub, openid));
        }
        sessions.put(session, user == null ? "" : user.name());
        return 303;
    }
    static void answer(HttpExchange exchange) throws Exception {
        Map<String, String> form = new HashMap<>();
        for (String pair : new String(exchange.getRequestBody().readAllBytes(), UTF_8).split("&"))
            form.put(pair.replaceAll("=.*", ""), URLDecoder.decode(pair.replaceAll("^[^=]*=?", ""), UTF_8));
        Matcher cookie = Pattern.compile("shop=([\\w-]+)").matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Cookie")));
        String session = cookie.find() && sessions.containsKey(cookie.group(1)) ? cookie.group(1) : UUID.randomUUID().toString();
        User own = users.get(sessions.computeIfAbsent(session, fresh -> ""));
        boolean posted = exchange.getRequestMethod().equals("POST");
        int status = posted ? post(exchange.getRequestURI().getPath(), form, session, own) : 200;
        boolean follows = !posted && own != null && own.openid() != null && "true".equals(member(ask(env("GATEWAY") + "/v1/members/" + own.openid(), env("GATEWAY_KEY"), null).body(), "subscribed"));
        byte[] page = Files.readString(Path.of(env("PAGE"))).replace("{{login}}", env("LOGIN")).replace("{{csrf}}", csrf(session))
            .replace("{{who}}", own == null ? "未登录" : own.name()).replace("{{following}}", follows ? "已关注" : "未关注").getBytes(UTF_8);
        exchange.getResponseHeaders().set("Set-Cookie", "shop=" + session + "; HttpOnly; SameSite=Lax; Path=/");
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        if (status == 303) exchange.getResponseHeaders().set("Location", "/");
        exchange.sendResponseHeaders(status, posted ? -1 : page.length);
        if (!posted) exchange.getResponseBody().write(page);
        exchange.close();
    }
    public static void main(String[] arguments) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(env("PORT"))), 0);
        server.createContext("/", exchange -> { try { answer(exchange); } catch (Exception error) { error.printStackTrace(); exchange.close(); } });
        server.start();
    }
}
