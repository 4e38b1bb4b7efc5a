// What a framework would do for the shop: forms with a token against CSRF, sessions, and calls that carry JSON.
import com.sun.net.httpserver.*;
import java.net.*;
import java.net.http.*;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.*;
import static java.nio.charset.StandardCharsets.UTF_8;

final class Web {
    interface Page { String of(Request request) throws Exception; }
    interface Form { int take(Request request) throws Exception; }
    /** The user's name, empty for nobody, and the token that the session's forms carry. */
    record Session(String user, String csrf) {}
    static final Map<String, Session> sessions = new ConcurrentHashMap<>();

    static final class Request {
        final HttpExchange exchange;
        final Map<String, String> fields = new HashMap<>();
        private String id;

        Request(HttpExchange exchange) throws Exception {
            this.exchange = exchange;
            for (String pair : new String(exchange.getRequestBody().readAllBytes(), UTF_8).split("&"))
                fields.put(pair.replaceAll("=.*", ""), URLDecoder.decode(pair.replaceAll("^[^=]*=?", ""), UTF_8));
            Matcher cookie = Pattern.compile("shop=([\\w-]+)").matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Cookie")));
            if (cookie.find() && sessions.containsKey(cookie.group(1))) id = cookie.group(1);
            else enter("");
        }
        String field(String name) { return fields.getOrDefault(name, ""); }
        String user() { return sessions.get(id).user(); }
        String csrf() { return sessions.get(id).csrf(); }
        /** A new session of this user, so that nobody knows its cookie beforehand; and back to the front page. */
        int enter(String user) {
            if (id != null) sessions.remove(id);
            id = UUID.randomUUID().toString();
            sessions.put(id, new Session(user, UUID.randomUUID().toString()));
            exchange.getResponseHeaders().set("Set-Cookie", "shop=" + id + "; HttpOnly; SameSite=Lax; Path=/");
            return 303;
        }
    }

    static void serve(int port, Page front, Map<String, Form> forms) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange, front, forms);
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        server.start();
    }
    private static void answer(HttpExchange exchange, Page front, Map<String, Form> forms) throws Exception {
        var request = new Request(exchange);
        if (exchange.getRequestMethod().equals("POST")) {
            Form form = forms.get(exchange.getRequestURI().getPath());
            boolean own = request.csrf().equals(request.field("csrf"));
            int status = !own ? 403 : form == null ? 404 : form.take(request);
            if (status == 303) exchange.getResponseHeaders().set("Location", "/");
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        byte[] page = front.of(request).getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(200, page.length);
        exchange.getResponseBody().write(page);
    }

    /** The answer's body; null unless it is 200. A body of text members is posted, none gets. */
    static String ask(String url, String key, Map<String, String> body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + key).header("Content-Type", "application/json");
        if (body != null) {
            var members = new StringJoiner(",", "{", "}");
            body.forEach((name, value) -> members.add("\"" + name + "\":\"" + value.replaceAll("[^\\w-]", "") + "\""));
            request.POST(HttpRequest.BodyPublishers.ofString(members.toString()));
        }
        var answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
        return answer.statusCode() == 200 ? answer.body() : null;
    }
    /** A member of a JSON object. Subjects and openids hold no escapes; with others, use a JSON library. */
    static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"?([A-Za-z0-9_-]+)").matcher(json);
        return found.find() ? found.group(1) : null;
    }
}
