// A shop with a user table of its own, and WeChat beside its passwords: javac *.java && java Shop
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;

public class Shop {
    record User(String name, String password, String sub, String openid) {}
    static final Map<String, User> users = new ConcurrentHashMap<>(Map.of("alice", new User("alice", "correct horse", null, null)));

    static int password(Web.Request request) {
        User user = users.get(request.field("name"));
        if (user == null || user.password() == null || !user.password().equals(request.field("password"))) return 403;
        return request.enter(user.name());
    }
    static int wechat(Web.Request request) throws Exception {
        String person = Web.ask(System.getenv("SITE") + "/v1/tickets/redeem", System.getenv("SITE_KEY"), Map.of("ticket", request.field("ticket")));
        if (person == null) return 403;
        String sub = Web.member(person, "sub"), openid = Web.member(person, "openid");
        User own = users.get(request.user()), known = users.values().stream().filter(any -> sub.equals(any.sub())).findFirst().orElse(null);
        if (own != null && known != null && !known.name().equals(own.name())) return 409; // Another account's.
        User user = own != null ? own : known != null ? known : new User("wx-" + sub, null, null, null);
        users.put(user.name(), new User(user.name(), user.password(), sub, openid));
        return request.enter(user.name());
    }
    static String front(Web.Request request) throws Exception {
        User own = users.get(request.user());
        String openid = own == null ? null : own.openid();
        String member = openid == null ? null : Web.ask(System.getenv("GATEWAY") + "/v1/members/" + openid, System.getenv("GATEWAY_KEY"), null);
        boolean follows = member != null && "true".equals(Web.member(member, "subscribed"));
        return Files.readString(Path.of(System.getenv("PAGE"))).replace("{{login}}", System.getenv("LOGIN")).replace("{{csrf}}", request.csrf())
            .replace("{{who}}", own == null ? "未登录" : own.name()).replace("{{following}}", follows ? "已关注" : "未关注");
    }
    public static void main(String[] arguments) throws Exception {
        Map<String, Web.Form> forms = Map.of("/password", Shop::password, "/wechat", Shop::wechat, "/out", request -> request.enter(""));
        Web.serve(Integer.parseInt(System.getenv("PORT")), Shop::front, forms);
    }
}
