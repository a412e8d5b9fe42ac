//! Search in the notes of an agent.

use super::row::{BOOL, NAT, OBJECT, POS, RATIO, TEXT, TEXT_MAP, TEXTS, Type, keys, one};

keys! {
    "agents.defaults.memorySearch": OBJECT, "-", "Search in the agent's notes.";
    "agents.defaults.memorySearch.enabled": BOOL, "true", "Offer the search.";
    "agents.defaults.memorySearch.sources": Type::List(&one(&["memory", "sessions"])), "[\"memory\"]", "What is searched.";
    "agents.defaults.memorySearch.experimental.sessionMemory": BOOL, "false", "Search old conversations too.";
    "agents.defaults.memorySearch.provider": one(&["openai", "local", "gemini"]), "auto", "Who makes the embeddings.";
    "agents.defaults.memorySearch.remote.baseUrl": TEXT, "-", "Address of the embedding service.";
    "agents.defaults.memorySearch.remote.apiKey": TEXT, "-", "Key of the embedding service.", secret;
    "agents.defaults.memorySearch.remote.headers": TEXT_MAP, "-", "Headers sent to the embedding service.", secret;
    "agents.defaults.memorySearch.remote.batch.enabled": BOOL, "true", "Embed in batches.";
    "agents.defaults.memorySearch.remote.batch.wait": BOOL, "true", "Wait until a batch is done.";
    "agents.defaults.memorySearch.remote.batch.concurrency": POS, "2", "How many batches run at once.";
    "agents.defaults.memorySearch.remote.batch.pollIntervalMs": NAT, "2000", "How often a batch is asked for, in milliseconds.";
    "agents.defaults.memorySearch.remote.batch.timeoutMinutes": POS, "60", "Time limit of a batch, in minutes.";
    "agents.defaults.memorySearch.fallback": one(&["openai", "gemini", "local", "none"]), "\"none\"", "Who makes the embeddings when the first one fails.";
    "agents.defaults.memorySearch.model": TEXT, "text-embedding-3-small / gemini-embedding-001", "Embedding model.";
    "agents.defaults.memorySearch.local.modelPath": TEXT, "-", "File of the local embedding model.";
    "agents.defaults.memorySearch.local.modelCacheDir": TEXT, "-", "Folder for downloaded models.";
    "agents.defaults.memorySearch.store.driver": one(&["sqlite"]), "\"sqlite\"", "Kind of index.";
    "agents.defaults.memorySearch.store.path": TEXT, "<state>/memory/{agentId}.sqlite", "File of the index; `{agentId}` is filled in.";
    "agents.defaults.memorySearch.store.vector.enabled": BOOL, "true", "Use vector search.";
    "agents.defaults.memorySearch.store.vector.extensionPath": TEXT, "-", "File of the vector extension.";
    "agents.defaults.memorySearch.chunking.tokens": POS, "400", "Size of a piece, in tokens.";
    "agents.defaults.memorySearch.chunking.overlap": NAT, "80", "Overlap of neighbouring pieces, in tokens.";
    "agents.defaults.memorySearch.sync.onSessionStart": BOOL, "true", "Bring the index up to date when a session starts.";
    "agents.defaults.memorySearch.sync.onSearch": BOOL, "true", "Bring the index up to date before a search.";
    "agents.defaults.memorySearch.sync.watch": BOOL, "true", "Watch the files.";
    "agents.defaults.memorySearch.sync.watchDebounceMs": NAT, "1500", "Quiet time after a change, in milliseconds.";
    "agents.defaults.memorySearch.sync.intervalMinutes": NAT, "0", "How often to look anyway, in minutes; 0 for never.";
    "agents.defaults.memorySearch.sync.sessions.deltaBytes": NAT, "100000", "New bytes before a conversation is indexed again.";
    "agents.defaults.memorySearch.sync.sessions.deltaMessages": NAT, "50", "New messages before a conversation is indexed again.";
    "agents.defaults.memorySearch.query.maxResults": POS, "6", "How many hits are given back.";
    "agents.defaults.memorySearch.query.minScore": RATIO, "0.35", "Least score of a hit.";
    "agents.defaults.memorySearch.query.hybrid.enabled": BOOL, "true", "Join word search and vector search.";
    "agents.defaults.memorySearch.query.hybrid.vectorWeight": RATIO, "0.7", "Weight of the vector search.";
    "agents.defaults.memorySearch.query.hybrid.textWeight": RATIO, "0.3", "Weight of the word search.";
    "agents.defaults.memorySearch.query.hybrid.candidateMultiplier": POS, "4", "How many more candidates than hits are looked at.";
    "agents.defaults.memorySearch.cache.enabled": BOOL, "true", "Keep embeddings.";
    "agents.defaults.memorySearch.cache.maxEntries": POS, "-", "How many embeddings are kept.";
    "agents.defaults.memorySearch.extraPaths": TEXTS, "-", "More files and folders to search.";
}
