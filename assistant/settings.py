"""The settings: one frozen record, read at the edge from `settings.toml` and the environment.

`settings.toml` lies in the home. A command-line option goes before `ASSISTANT_…` in the
environment, which goes before the file. LLMs' keys are no settings (`assistant.llms.keys`).
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from assistant.errors import SettingsError
from index.chroma import ChromaServer
from index.embedding import ModelChoice
from index.errors import HomeError

FILE = "settings.toml"
LLM_VARIABLE = "ASSISTANT_LLM"
"""In the environment: the setting `llm`."""
CHROMA_TOKEN = "CHROMA_TOKEN"
"""In the environment: what the Chroma server is sent to let us in."""
_RENAMED = {"sources": "papers_in_prompt", "reads": "papers_read", "reranked": "papers_reranked"}


class Settings(BaseSettings):
    """What a user can set."""

    model_config = SettingsConfigDict(env_prefix="ASSISTANT_", frozen=True, extra="forbid")

    llm: str = Field("extractive", description="The LLM that writes answers, provider:model; extractive uses none.")
    papers_in_prompt: int = Field(
        20, ge=1, le=20, description="How many papers an LLM is given at most: those near the first that fit its context."
    )
    llm_timeout: float = Field(60.0, gt=0, description="Seconds that an LLM may be silent; five times that for a whole answer.")
    llm_context: int = Field(8192, ge=1024, description="Tokens that an LLM's context holds, for servers that do not tell.")
    llm_price_in: float | None = Field(None, ge=0, description="Price of a million tokens given to an LLM, to tell each answer's cost.")
    llm_price_out: float | None = Field(None, ge=0, description="Price of a million tokens written by it.")
    papers_read: int = Field(
        4, ge=0, le=20, description="How many of the first papers reader and matcher look into, at most; 0 turns them off."
    )
    embedding: str = Field(
        "", description="What embeds papers: a sentence-transformers model's folder or hub name; empty: the shipped model."
    )
    embedding_query_prefix: str | None = Field(None, description="What that model wants before questions; by default what its files say.")
    embedding_text_prefix: str | None = Field(None, description="What it wants before papers' texts, likewise.")
    reranker: str = Field("", description="A cross-encoder that reorders the first papers: a folder or hub name; empty uses none.")
    papers_reranked: int = Field(20, ge=1, le=100, description="How many papers the reranker sees.")
    chroma: str = Field("", description="Address of a Chroma server that holds the vectors, http://HOST:PORT; empty: the home does.")
    chroma_tenant: str = Field("default_tenant", description="Tenant on that server.")
    chroma_database: str = Field("default_database", description="Database on that server.")
    host: str = Field("127.0.0.1", description="Address that the chat page listens on.")
    port: int = Field(7860, ge=1, le=65535, description="Port of the chat page.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then environment, then file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def model_choice(settings: Settings) -> ModelChoice:
    """The embedding model that the settings name."""
    return ModelChoice(settings.embedding, settings.embedding_query_prefix, settings.embedding_text_prefix)


def load_settings(home: Path) -> Settings:
    """The settings of a home.

    Raises `SettingsError` naming the file and the setting.
    """
    path = home / FILE
    for old, new in _RENAMED.items():
        if f"ASSISTANT_{old.upper()}" in os.environ:
            raise SettingsError(f"ASSISTANT_{old.upper()} in the environment: the setting {old} is {new} now: rename it")

    class Located(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return Located()
    except ValidationError as error:
        known = ", ".join(Settings.model_fields)
        raise SettingsError(f"{path} or ASSISTANT_… in the environment: {_faults(error)} (settings: {known})") from error
    except ValueError as error:  # not TOML
        raise SettingsError(f"{path}: not a TOML file ({error}): mend or delete it") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error


def _faults(error: ValidationError) -> str:
    """Each setting that is wrong, and why."""
    wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
    return "; ".join(f"{name}: " + (f"it is {_RENAMED[name]} now: rename it" if name in _RENAMED else why) for name, why in wrong)


def chroma_server(settings: Settings) -> ChromaServer | None:
    """The server that holds the vectors; None: a folder of the home does.

    Raises `SettingsError` for an address that is none.
    """
    if not settings.chroma:
        return None
    try:
        token = os.environ.get(CHROMA_TOKEN, "").strip()
        return ChromaServer(settings.chroma, settings.chroma_tenant, settings.chroma_database, token)
    except HomeError as error:
        raise SettingsError(f"the setting chroma: {error}") from error


def save_setting(home: Path, name: str, value: str | int | float) -> Path:
    """Writes one setting into the settings.toml of a home, all else in it as it was, comments too; returns the file.

    Raises `SettingsError` where the file cannot be read as TOML, the value is none for this setting, or nothing can be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = home / FILE
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not a TOML file ({error}): mend or delete it") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    document[name] = value
    try:
        Settings.model_validate(dict(document.unwrap()))
    except ValidationError as error:
        raise SettingsError(f"{path}: {_faults(error)}") from error
    fresh = path.with_name(f"{path.name}.new")
    try:
        home.mkdir(parents=True, exist_ok=True)
        fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}): check its permissions") from error
    return path
