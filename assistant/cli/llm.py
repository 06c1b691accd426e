"""`assistant llm`: what can write answers here; `llm check`: one LLM tried for real; `llm use`: tried and saved."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from assistant.cli.output import announce, errors_told, print_json

app = typer.Typer(
    name="llm",
    help="List the LLMs that can be used here, check one, or choose one.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
_MOST_OFFERED = 5
Home = Annotated[str | None, typer.Option("--home", metavar="DIR", help="The folder whose settings say how long to wait for it.")]


@app.callback(invoke_without_command=True)
def list_providers(context: typer.Context, json: Json = False, home: Home = None) -> None:
    """List what is installed, keyed and running here, and what to run on this machine. Nothing is used, and no other machine is asked."""
    if context.invoked_subcommand is not None:
        return
    from assistant.llms.discovery import discover
    from assistant.llms.recommended import best_for, this_machine
    from assistant.settings import load_settings
    from index import chosen_home

    with errors_told():
        chosen = load_settings(chosen_home(home)[0]).llm
    noticed = discover(seconds=2.0)
    rows, offers = _rows(), noticed.offers()
    memory = this_machine()
    best = best_for(memory)
    if json:
        servers = [{**asdict(server), "models": list(server.models)} for server in noticed.servers]
        recommended = None if best is None else {"name": f"ollama:{best.name}", "file_gb": best.file_gb, "needs_gb": best.needs_gb}
        print_json(
            {
                "llm": chosen,
                "providers": rows,
                "servers": servers,
                "offers": [asdict(offer) for offer in offers],
                "memory": asdict(memory),
                "recommended": recommended,
            }
        )
        return
    typer.echo(f"Answers are written by: {chosen}\n")
    for row in rows:
        typer.echo(f"{row['name']:<12} {row['form']}")
        typer.echo(f"{'':12} {'ready' if row['installed'] else 'not installed: ' + row['install']}")
        if row["key_variable"]:
            unset = "is not set, and is needed" if row["needs_key"] else "is not set; only some servers want it"
            typer.echo(f"{'':12} {row['key_variable']} {'is set' if row['key_set'] else unset}")
        for server in noticed.servers:
            if server.provider == row["name"]:
                typer.echo(f"{'':12} running at {server.address}" + ("" if server.models else ", without a model"))
                for model in server.models:
                    typer.echo(f"{'':14} {model}")
    typer.echo("")
    if offers:
        typer.echo("To use one of these from now on (it is tried first):")
        for offer in offers[:_MOST_OFFERED]:
            before = f"{offer.first} && " if offer.first else ""
            typer.echo(f"  {before}assistant llm use {offer.name}    # {offer.why}")
    if not noticed.servers:
        typer.echo("No server of a model runs on this machine at the usual ports (Ollama, LM Studio, llama.cpp, vLLM).")
    if best is None:
        typer.echo(f"This machine has {memory}: too little for a model worth asking. Answers quote the papers instead.")
    elif f"ollama:{best.name}" not in {offer.name for offer in offers}:
        typer.echo(f"This machine has {memory}. The best model that fits ({best.file_gb:g} GB to download, {best.needs_gb:g} GB in use):")
        typer.echo(f"  ollama pull {best.name} && assistant llm use ollama:{best.name}    # Ollama: https://ollama.com/download")


@app.command()
def use(
    spec: Annotated[str, typer.Argument(metavar="PROVIDER:MODEL", help="The LLM's name, as --llm takes it; extractive for none.")],
    force: Annotated[bool, typer.Option("--force", help="Save it though the check failed.")] = False,
    home: Home = None,
) -> None:
    """Check one LLM, and save it to the home's settings.toml, so that it writes all answers from now on."""
    from assistant.llms import EXTRACTIVE, LLMOptions
    from assistant.llms.diagnosis import diagnose
    from assistant.llms.keys import named
    from assistant.llms.registry import provider_of
    from assistant.settings import LLM_VARIABLE, load_settings, save_setting
    from index import chosen_home

    with errors_told():
        folder = chosen_home(home)[0]
        settings = load_settings(folder)
        if spec != EXTRACTIVE:
            failed = None
            provider, rest = provider_of(spec)
            for step in diagnose(spec, LLMOptions(settings.llm_timeout, settings.llm_context)):
                typer.echo(f"{'ok' if step.ok else 'failed':<7} {step.name:<8} {step.told}{_figures(asdict(step))}")
                failed = None if step.ok else step
            if failed is not None and not force:
                announce(f"error: {spec} was not saved, since its check failed at “{failed.name}”: mend that, or add --force")
                raise typer.Exit(1)
            if provider.service is not None and os.environ.get(provider.key_variable or ""):
                named(provider.service.address(rest))
        path = save_setting(folder, "llm", spec)
        typer.echo(f"{spec} writes the answers from now on ({path}). Back to quoting: assistant llm use {EXTRACTIVE}")
        if (overriding := os.environ.get(LLM_VARIABLE)) and overriding != spec:
            announce(f"note: ASSISTANT_LLM in the environment says {overriding}, which goes before")


def _rows() -> list[dict[str, Any]]:
    """A row for each provider."""
    from assistant.llms import providers
    from assistant.llms.base import installed, pip_line

    known, faults = providers()
    for fault in faults:
        announce(f"note: {fault}")
    return [
        {
            "name": one.name,
            "form": one.form,
            "installed": installed(one.modules),
            "install": pip_line(one.name),
            "key_variable": one.key_variable,
            "key_set": one.key_variable is not None and bool(os.environ.get(one.key_variable, "").strip()),
            "needs_key": one.needs_key,
        }
        for one in known.values()
    ]


@app.command()
def check(
    spec: Annotated[str, typer.Argument(metavar="PROVIDER:MODEL", help="The LLM's name, as --llm takes it.")],
    json: Json = False,
    home: Home = None,
) -> None:
    """Try one LLM for real, step by step: name, package, key, server, model, a streamed answer."""
    from assistant.llms import EXTRACTIVE, LLMOptions
    from assistant.llms.diagnosis import diagnose
    from assistant.settings import load_settings
    from index import chosen_home

    with errors_told():
        if spec == EXTRACTIVE:
            announce(f"error: {EXTRACTIVE} answers without an LLM: there is nothing to check")
            raise typer.Exit(1)
        settings = load_settings(chosen_home(home)[0])
        steps = []
        for step in diagnose(spec, LLMOptions(settings.llm_timeout, settings.llm_context)):
            steps.append(step)
            if not json:
                typer.echo(f"{'ok' if step.ok else 'failed':<7} {step.name:<8} {step.told}{_figures(asdict(step))}")
        if json:
            print_json({"llm": spec, "ok": steps[-1].ok, "steps": [asdict(step) for step in steps]})
        if not steps[-1].ok:
            raise typer.Exit(1)


def _figures(step: dict[str, Any]) -> str:
    """What a streamed answer took."""
    if step["first_text_ms"] is None:
        return ""
    told = f", first text after {step['first_text_ms'] / 1000:.2f} s, done after {step['total_ms'] / 1000:.2f} s"
    if step["prompt_tokens"] is not None:
        told += f", {step['prompt_tokens']} tokens in, {step['completion_tokens']} out"
    return told
