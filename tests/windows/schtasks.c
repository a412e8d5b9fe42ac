/* Stands in for schtasks.exe, because wine's starts nothing and tells nothing. Wine's own still judges every definition.
 * A task is a file beside this program, and what became of its last run another one: 1 and the process while it runs,
 * 0 and its result afterwards. The texts and numbers are those of reports; nobody compared them with a real one. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
#include <userenv.h>

enum { NEVER = 267011, RUNNING = 267009, ENDED = 267014, MOST = 65536 };

static wchar_t own[MAX_PATH], folder[MAX_PATH], task[MAX_PATH], definition[MAX_PATH], state[MAX_PATH], end[MAX_PATH];

static int refused(const char *why) {
    fprintf(stderr, "ERROR: %s\n", why);
    return 1;
}

/* Starts a program that does not hold what this one prints to, so that nobody who reads that waits for its end. */
static HANDLE start(wchar_t *line, void *variables, const wchar_t *place, DWORD *id) {
    STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made;
    DWORD flags = CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT;
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, variables, place, &how, &made)) return NULL;
    CloseHandle(made.hThread);
    if (id) *id = made.dwProcessId;
    return made.hProcess;
}

static DWORD wait_for(HANDLE process) {
    DWORD code = 1;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static void write_state(int runs, DWORD number) {
    wchar_t fresh[MAX_PATH + 4];
    swprintf(fresh, MAX_PATH + 4, L"%ls.new", state);
    FILE *file = _wfopen(fresh, L"w");
    if (!file) exit(refused("The state cannot be written."));
    fprintf(file, "%d %lu\n", runs, number);
    fclose(file);
    if (!MoveFileExW(fresh, state, MOVEFILE_REPLACE_EXISTING)) exit(refused("The state cannot be replaced."));
}

static int read_state(DWORD *number) {
    int runs = 0;
    *number = NEVER;
    FILE *file = _wfopen(state, L"r");
    if (file) {
        if (fscanf(file, "%d %lu", &runs, number) != 2) runs = 0;
        fclose(file);
    }
    return runs;
}

/* The definition without its byte order mark. */
static wchar_t *read_definition(void) {
    static wchar_t text[MOST];
    FILE *file = _wfopen(definition, L"rb");
    if (!file) return NULL;
    size_t count = fread(text, sizeof *text, MOST - 1, file);
    fclose(file);
    text[count] = 0;
    return text[0] == 0xfeff ? text + 1 : text;
}

/* The text of the first element of this name. */
static void element(const wchar_t *xml, const wchar_t *name, wchar_t *found) {
    static const struct { const wchar_t *written, *meant; } entities[] = {
        {L"&quot;", L"\""}, {L"&apos;", L"'"}, {L"&lt;", L"<"}, {L"&gt;", L">"}, {L"&amp;", L"&"}};
    wchar_t open[64];
    swprintf(open, 64, L"<%ls>", name);
    *found = 0;
    const wchar_t *from = wcsstr(xml, open);
    if (!from) return;
    for (from += wcslen(open); *from && *from != L'<';) {
        size_t i = 0;
        while (i < 5 && wcsncmp(from, entities[i].written, wcslen(entities[i].written))) i++;
        *found++ = i < 5 ? *entities[i].meant : *from;
        from += i < 5 ? wcslen(entities[i].written) : 1;
    }
    *found = 0;
}

/* Runs the task to its end, with the variables of the user and none of whoever asked for it. */
static int keep(void) {
    static wchar_t line[MOST], program[MOST], arguments[MOST], place[MOST];
    wchar_t *xml = read_definition();
    if (!xml) return 1;
    element(xml, L"Command", program);
    element(xml, L"Arguments", arguments);
    element(xml, L"WorkingDirectory", place);
    swprintf(line, MOST, L"\"%ls\" %ls", program, arguments);
    HANDLE token;
    void *variables = NULL;
    DWORD id;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token)
        || !CreateEnvironmentBlock(&variables, token, FALSE)) return 1;
    HANDLE process = start(line, variables, *place ? place : NULL, &id);
    if (!process) {
        write_state(0, GetLastError());
        return 1;
    }
    write_state(1, id);
    DWORD code = wait_for(process);
    write_state(0, DeleteFileW(end) ? ENDED : code);
    return 0;
}

static int run(void) {
    static wchar_t line[MOST];
    DWORD number;
    if (read_state(&number)) return 0;
    DeleteFileW(state);
    swprintf(line, MOST, L"\"%ls\" keep /TN \"%ls\"", own, task);
    HANDLE keeper = start(line, NULL, NULL, NULL);
    if (!keeper) return refused("The keeper does not start.");
    while (GetFileAttributesW(state) == INVALID_FILE_ATTRIBUTES)
        if (WaitForSingleObject(keeper, 20) == WAIT_OBJECT_0) break;
    printf("SUCCESS: Attempted to run the scheduled task \"%ls\".\n", task);
    return 0;
}

static int terminate(void) {
    DWORD id;
    if (!read_state(&id)) return refused("There is no running instance of the task.");
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, id);
    fclose(_wfopen(end, L"w"));
    if (!process || !TerminateProcess(process, 1)) return refused("The task does not end.");
    printf("SUCCESS: The scheduled task \"%ls\" has been terminated successfully.\n", task);
    return 0;
}

static int query(int wants_definition) {
    DWORD number;
    int runs = read_state(&number);
    if (wants_definition) return printf("%ls\n", read_definition()) < 0;
    printf("\"DESK\",\"\\%ls\",\"N/A\",\"%s\",\"Interactive only\",\"N/A\",\"%lu\",\"you\"\n", task,
        runs ? "Running" : "Ready", runs ? (DWORD)RUNNING : number);
    return 0;
}

/* Wine's own program takes the definition, or this one does not. */
static int create(const wchar_t *file) {
    static wchar_t line[MOST];
    swprintf(line, MOST, L"C:\\windows\\system32\\schtasks.exe /Create /TN \"%ls\" /F /XML \"%ls\"", task, file);
    HANDLE judge = start(line, NULL, NULL, NULL);
    if (!judge || wait_for(judge)) return refused("The task XML is malformed.");
    if (!CopyFileW(file, definition, FALSE)) return refused("The definition cannot be kept.");
    printf("SUCCESS: The scheduled task \"%ls\" has successfully been created.\n", task);
    return 0;
}

int wmain(int count, wchar_t **words) {
    const wchar_t *verb = count > 1 ? words[1] : L"", *file = L"";
    int wants_definition = 0;
    GetModuleFileNameW(NULL, own, MAX_PATH);
    wcscpy(folder, own);
    *wcsrchr(folder, L'\\') = 0;
    for (int i = 2; i < count; i++) {
        int more = i + 1 < count;
        if (!_wcsicmp(words[i], L"/TN") && more) wcsncpy(task, words[++i], MAX_PATH - 1);
        else if (!_wcsicmp(words[i], L"/XML") && more) file = words[++i];
        else if (!_wcsicmp(words[i], L"/XML")) wants_definition = 1;
    }
    swprintf(definition, MAX_PATH, L"%ls\\%ls.xml", folder, task);
    swprintf(state, MAX_PATH, L"%ls\\%ls.state", folder, task);
    swprintf(end, MAX_PATH, L"%ls\\%ls.end", folder, task);
    if (!*task) return printf("\"\\Another task\",\"N/A\",\"Ready\"\n") < 0;
    if (!_wcsicmp(verb, L"/Create")) return create(file);
    if (GetFileAttributesW(definition) == INVALID_FILE_ATTRIBUTES)
        return refused("The system cannot find the file specified.");
    if (!_wcsicmp(verb, L"/Query")) return query(wants_definition);
    if (!_wcsicmp(verb, L"/Run")) return run();
    if (!_wcsicmp(verb, L"/End")) return terminate();
    if (!_wcsicmp(verb, L"/Delete")) return !DeleteFileW(definition);
    if (!_wcsicmp(verb, L"keep")) return keep();
    return refused("Invalid argument/option.");
}
