// Judges submissions with JavaRosa, the engine of ODK Collect, and tells what it found as JSON lines.
//
// Started by harness.py: `java -cp ODK_Validate.jar Oracle.java`. Each line of the standard input names a folder with
// form.xml, media/ and submissions.txt (one instance a line, base64); the answer is out.jsonl in that folder (a line
// for the form, then one for each submission) and "done" on the standard output. JavaRosa itself logs to the standard
// output, so that one is given to the standard error.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import org.javarosa.core.model.*;
import org.javarosa.core.model.condition.*;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.data.helper.*;
import org.javarosa.core.model.instance.*;
import org.javarosa.core.model.utils.DateUtils;
import org.javarosa.core.reference.*;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.*;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.XFormParser;
import org.javarosa.xform.util.*;
import org.javarosa.xpath.expr.XPathFuncExpr;

public class Oracle {
    // today() is built in and reads the machine's clock: it is renamed in attributes to a function of ours.
    private static final Pattern ATTRIBUTE = Pattern.compile("\"[^\"<]*\\btoday\\s*\\([^\"<]*\"");
    private static final Pattern TODAY = Pattern.compile("(?<![\\w.-])today\\s*\\(\\s*\\)");
    private static final XFormAnswerDataSerializer TEXT = new XFormAnswerDataSerializer();

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        new XFormsModule().registerModule();
        new JavaRosaCoreModule().registerModule();
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t");
            clock(parts[1]);
            judgeFolder(Paths.get(parts[0]));
            out.println("done");
            out.flush();
        }
    }

    private static void clock(String now) {
        org.joda.time.DateTimeUtils.setCurrentMillisFixed(DateUtils.parseDateTime(now).getTime());
    }

    private static void judgeFolder(Path folder) throws IOException {
        try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(folder.resolve("out.jsonl")))) {
            FormDef form;
            try {
                form = load(folder);
            } catch (Throwable error) {
                out.println(json(Map.of("error", told(error))));
                return;
            }
            out.println(json(Map.of("repeats", form(form), "root", form.getMainInstance().getRoot().getName())));
            TreeElement pristine = form.getMainInstance().getRoot().deepCopy(true);
            for (String line : Files.readAllLines(folder.resolve("submissions.txt"))) {
                out.println(json(new Submission(form, pristine).judge(Base64.getDecoder().decode(line))));
            }
        }
    }

    private static FormDef load(Path folder) throws Exception {
        media(folder.resolve("media"));
        String xml = Files.readString(folder.resolve("form.xml"));
        Path clocked = folder.resolve("clocked.xml");
        Files.writeString(clocked, ATTRIBUTE.matcher(xml).replaceAll(found ->
            Matcher.quoteReplacement(TODAY.matcher(found.group()).replaceAll("oracle-today()"))));
        FormDef form = XFormUtils.getFormFromFormXml(clocked.toString(), null);
        if (form == null) throw new IllegalStateException("JavaRosa gives no form and no reason");
        form.addFunctionHandler(new Today());
        form.addFunctionHandler(new PullData(folder.resolve("media")));
        return form;
    }

    private static List<Object> form(FormDef form) {
        List<Object> found = new ArrayList<>();
        for (GroupDef repeat : repeats(form)) {
            found.add(Map.of("ref", path(FormInstance.unpackReference(repeat.getBind())),
                "counted", repeat.getCountReference() != null));
        }
        return found;
    }

    static List<GroupDef> repeats(IFormElement above) {
        List<GroupDef> found = new ArrayList<>();
        for (IFormElement child : above.getChildren() == null ? List.<IFormElement>of() : above.getChildren()) {
            if (child instanceof GroupDef && ((GroupDef) child).getRepeat()) found.add((GroupDef) child);
            found.addAll(repeats(child));
        }
        return found;
    }

    static List<QuestionDef> questions(IFormElement above) {
        List<QuestionDef> found = new ArrayList<>();
        for (IFormElement child : above.getChildren() == null ? List.<IFormElement>of() : above.getChildren()) {
            if (child instanceof QuestionDef) found.add((QuestionDef) child);
            found.addAll(questions(child));
        }
        return found;
    }

    private static void media(Path folder) {
        ReferenceManager manager = ReferenceManager.instance();
        manager.reset();
        manager.addReferenceFactory(new PrefixedRootFactory(new String[] {"file/", "file-csv/", "images/", "audio/", "video/"}) {
            @Override protected Reference factory(String terminal, String uri) {
                return new MediaFile(folder.resolve(Paths.get(terminal).getFileName()), uri);
            }
        });
    }

    /** `/data/g/rep[2]/q` without the root: `g/rep/q`. */
    static String path(TreeReference ref) {
        StringBuilder path = new StringBuilder();
        for (int i = 1; i < ref.size(); i++) path.append(i > 1 ? "/" : "").append(ref.getName(i));
        return path.toString();
    }

    static String text(IAnswerData value) {
        if (value == null) return "";
        Object found = TEXT.serializeAnswerData(value);
        return found == null ? "" : found.toString();
    }

    static String told(Throwable error) {
        String message = error.getMessage() == null ? "" : error.getMessage();
        return error.getClass().getSimpleName() + ": " + message.strip();
    }

    static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) return String.valueOf(value);
        StringJoiner all;
        if (value instanceof Map) {
            all = new StringJoiner(",", "{", "}");
            ((Map<?, ?>) value).forEach((key, of) -> all.add(json(String.valueOf(key)) + ":" + json(of)));
            return all.toString();
        }
        if (value instanceof Collection) {
            all = new StringJoiner(",", "[", "]");
            ((Collection<?>) value).forEach(of -> all.add(json(of)));
            return all.toString();
        }
        StringBuilder text = new StringBuilder("\"");
        for (char one : value.toString().toCharArray()) {
            boolean plain = one >= ' ' && one < 127 && one != '"' && one != '\\';
            text.append(plain ? String.valueOf(one) : String.format("\\u%04x", (int) one));
        }
        return text.append('"').toString();
    }

    /** One submission after JavaRosa has taken it in as Collect does when it opens a saved one. */
    private static final class Submission {
        private final FormDef form;
        private final TreeElement pristine;
        private final Map<String, QuestionDef> selects = new HashMap<>();
        private final Map<String, GroupDef> counted = new HashMap<>();

        Submission(FormDef form, TreeElement pristine) {
            this.form = form;
            this.pristine = pristine;
            for (QuestionDef one : questions(form)) {
                boolean chosen = one.getDynamicChoices() != null || (one.getChoices() != null && !one.getChoices().isEmpty());
                if (chosen) selects.put(path(FormInstance.unpackReference(one.getBind())), one);
            }
            for (GroupDef one : repeats(form)) {
                if (one.getCountReference() != null) counted.put(path(FormInstance.unpackReference(one.getBind())), one);
            }
        }

        Map<String, Object> judge(byte[] instance) {
            Map<String, Object> told = new LinkedHashMap<>();
            try {
                takeIn(instance);
                told.put("unsettled", settle());
                Map<String, Object> nodes = new LinkedHashMap<>();
                List<Object> counts = new ArrayList<>();
                walk(form.getMainInstance().getRoot(), "", nodes, counts);
                told.put("nodes", nodes);
                told.put("counts", counts);
            } catch (Throwable error) {
                told.put("error", told(error));
                return told;
            }
            try {
                told.put("outcome", outcome(form.validate(true)));
                told.put("after", after(form.getMainInstance().getRoot(), "", new LinkedHashMap<>()));
            } catch (Throwable error) {
                told.put("outcome", Map.of("status", "error", "path", "", "error", told(error)));
            }
            return told;
        }

        private void takeIn(byte[] instance) {
            TreeElement saved = XFormParser.restoreDataModel(instance, null).getRoot();
            TreeElement root = pristine.deepCopy(true);
            if (!saved.getName().equals(root.getName())) throw new IllegalArgumentException("another root than the form's");
            root.populate(saved, form);
            form.getMainInstance().setRoot(root);
            form.initialize(false, new InstanceInitializationFactory());
        }

        /**
         * Evaluates again until nothing changes, and tells what still does (random() and the like). One evaluation is
         * not enough: jr:choice-name takes the answers that its list does not offer away while others read them, and
         * an emptied select_multiple is an answer until it is saved and opened again.
         */
        private Collection<String> settle() {
            Map<String, String> before = after(form.getMainInstance().getRoot(), "", new LinkedHashMap<>());
            for (int round = 0; ; round++) {
                forget(form.getMainInstance().getRoot());
                form.initialize(false, new InstanceInitializationFactory());
                Map<String, String> now = after(form.getMainInstance().getRoot(), "", new LinkedHashMap<>());
                if (now.equals(before)) return List.of();
                if (round == 4) {
                    Map<String, String> last = before;
                    now.entrySet().removeIf(one -> one.getValue().equals(last.get(one.getKey())));
                    return now.keySet();
                }
                before = now;
            }
        }

        private static void forget(TreeElement above) {
            if (above.getValue() != null && text(above.getValue()).isEmpty()) above.setValue(null);
            for (int i = 0; i < above.getNumChildren(); i++) forget(above.getChildAt(i));
        }

        private void walk(TreeElement above, String where, Map<String, Object> nodes, List<Object> counts) {
            Map<String, Integer> rows = new LinkedHashMap<>();
            for (int i = 0; i < above.getNumChildren(); i++) {
                TreeElement node = above.getChildAt(i);
                if (node.isRepeatable()) rows.merge(node.getName(), node.getMult() == TreeReference.INDEX_TEMPLATE ? 0 : 1, Integer::sum);
                if (node.getMult() == TreeReference.INDEX_TEMPLATE) continue;
                String here = named(where, node);
                nodes.put(here, node(node));
                walk(node, here, nodes, counts);
            }
            rows.forEach((name, found) -> count(above, where, name, found, counts));
        }

        private static String named(String where, TreeElement node) {
            return (where.isEmpty() ? "" : where + "/") + node.getName() + (node.isRepeatable() ? "[" + (node.getMult() + 1) + "]" : "");
        }

        private Map<String, Object> node(TreeElement node) {
            Map<String, Object> told = new LinkedHashMap<>();
            boolean relevant = node.isRelevant();
            told.put("relevant", relevant);
            if (node.hasChildren()) return told;
            told.put("required", node.isRequired());
            IAnswerData value = node.getValue();
            told.put("value", text(value));
            told.put("readonly", !node.isEnabled());
            if (relevant && node.getConstraint() != null && value != null) {
                told.put("constraint", attempt(() -> form.evaluateConstraint(node.getRef(), value)));
            }
            QuestionDef select = value == null ? null : selects.get(path(node.getRef()));
            if (select != null) told.put("chosen", attempt(() -> chosen(select, node, value)));
            return told;
        }

        /** Each chosen code and whether the list, filtered for this node, offers it. */
        private Object chosen(QuestionDef select, TreeElement node, IAnswerData value) {
            Set<String> offered = select.getDynamicChoices() != null ? offered(select.getDynamicChoices(), node) : new HashSet<>();
            if (select.getDynamicChoices() == null) select.getChoices().forEach(one -> offered.add(one.getValue()));
            Map<String, Object> told = new LinkedHashMap<>();
            for (String code : text(value).split(" ")) told.put(code, offered.contains(code));
            return told;
        }

        /** As ItemsetBinding.getChoices, which also takes away answers that are not offered: this only looks. */
        private Set<String> offered(ItemsetBinding list, TreeElement node) {
            EvaluationContext context = form.getEvaluationContext();
            List<TreeReference> items = list.nodesetExpr.evalNodeset(form.getMainInstance(),
                new EvaluationContext(context, list.contextRef.contextualize(node.getRef())));
            DataInstance of = list.nodesetRef.getInstanceName() == null
                ? form.getMainInstance() : form.getNonMainInstance(list.nodesetRef.getInstanceName());
            Set<String> offered = new LinkedHashSet<>();
            for (TreeReference item : items) offered.add(list.valueExpr.evalReadable(of, new EvaluationContext(context, item)));
            return offered;
        }

        private void count(TreeElement above, String where, String name, int found, List<Object> counts) {
            TreeReference first = above.getRef().extendRef(name, 0);
            GroupDef repeat = counted.get(path(first));
            if (repeat == null) return;
            TreeElement node = form.getMainInstance().resolveReference(FormInstance.unpackReference(repeat.getCountReference()).contextualize(first));
            Map<String, Object> told = new LinkedHashMap<>();
            told.put("path", (where.isEmpty() ? "" : where + "/") + name);
            told.put("rows", found);
            told.put("count", node == null || node.getValue() == null ? null : attempt(() -> AnswerDataUtil.answerDataToInt(node.getValue())));
            counts.add(told);
        }

        private static Object attempt(java.util.concurrent.Callable<Object> what) {
            try {
                return what.call();
            } catch (Throwable error) {
                return told(error);
            }
        }

        private Map<String, Object> outcome(ValidateOutcome outcome) {
            if (outcome == null) return Map.of("status", "accepted", "path", "");
            String status = outcome.outcome == FormEntryController.ANSWER_REQUIRED_BUT_EMPTY ? "required" : "constraint";
            TreeElement node = form.getMainInstance().resolveReference(outcome.failedPrompt.getReference());
            String where = "";
            List<TreeElement> chain = new ArrayList<>();
            for (AbstractTreeElement<?> one = node; one != null && one.getParent() != null; one = one.getParent()) {
                if (one instanceof TreeElement && !one.getName().equals(form.getMainInstance().getRoot().getName())) chain.add(0, (TreeElement) one);
            }
            for (TreeElement one : chain) where = named(where, one);
            return Map.of("status", status, "path", where);
        }

        private Map<String, String> after(TreeElement above, String where, Map<String, String> values) {
            for (int i = 0; i < above.getNumChildren(); i++) {
                TreeElement node = above.getChildAt(i);
                if (node.getMult() == TreeReference.INDEX_TEMPLATE) continue;
                String here = named(where, node);
                if (!node.hasChildren()) values.put(here, text(node.getValue()));
                after(node, here, values);
            }
            return values;
        }
    }

    /** today() of the fixed clock: midnight, as DateUtils.roundDate gives it. */
    private static final class Today implements IFunctionHandler {
        @Override public String getName() { return "oracle-today"; }
        @Override public List<Class[]> getPrototypes() { return List.of(new Class[][] {{}}); }
        @Override public boolean rawArgs() { return false; }
        @Override public boolean realTime() { return false; }
        @Override public Object eval(Object[] args, EvaluationContext context) {
            return DateUtils.roundDate(new org.joda.time.DateTime().toDate());
        }
    }

    /** pulldata(file, column, key column, key), which is Collect's own: the first row with that key, else empty. */
    private static final class PullData implements IFunctionHandler {
        private final Path folder;
        private final Map<String, List<Map<String, String>>> tables = new HashMap<>();

        PullData(Path folder) { this.folder = folder; }

        @Override public String getName() { return "pulldata"; }
        @Override public List<Class[]> getPrototypes() { return List.of(); }
        @Override public boolean rawArgs() { return true; }
        @Override public boolean realTime() { return false; }

        @Override public Object eval(Object[] args, EvaluationContext context) {
            if (args.length != 4) throw new IllegalArgumentException("pulldata takes four arguments");
            String name = XPathFuncExpr.toString(args[0]);
            String wanted = XPathFuncExpr.toString(args[1]).trim().toLowerCase(Locale.ROOT);
            String by = XPathFuncExpr.toString(args[2]).trim().toLowerCase(Locale.ROOT);
            String key = XPathFuncExpr.toString(args[3]);
            for (Map<String, String> row : tables.computeIfAbsent(name, this::read)) {
                if (key.equals(row.get(by))) return row.getOrDefault(wanted, "");
            }
            return "";
        }

        private List<Map<String, String>> read(String name) {
            Path file = folder.resolve(Paths.get(name.endsWith(".csv") ? name : name + ".csv").getFileName());
            if (!Files.exists(file)) return List.of();
            try (Reader reader = Files.newBufferedReader(file)) {
                List<Map<String, String>> rows = new ArrayList<>();
                var parser = org.apache.commons.csv.CSVFormat.DEFAULT.withFirstRecordAsHeader().withIgnoreHeaderCase().parse(reader);
                for (var record : parser) {
                    Map<String, String> row = new HashMap<>();
                    record.toMap().forEach((column, cell) -> row.put(column.replace("\uFEFF", "").trim().toLowerCase(Locale.ROOT), cell));
                    rows.add(row);
                }
                return rows;
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static final class MediaFile implements Reference {
        private final Path file;
        private final String uri;

        MediaFile(Path file, String uri) { this.file = file; this.uri = uri; }

        @Override public boolean doesBinaryExist() { return Files.exists(file); }
        @Override public InputStream getStream() throws IOException { return Files.newInputStream(file); }
        @Override public String getURI() { return uri; }
        @Override public String getLocalURI() { return file.toString(); }
        @Override public boolean isReadOnly() { return true; }
        @Override public OutputStream getOutputStream() { throw new UnsupportedOperationException(); }
        @Override public void remove() { throw new UnsupportedOperationException(); }
        @Override public Reference[] probeAlternativeReferences() { return new Reference[0]; }
    }
}
