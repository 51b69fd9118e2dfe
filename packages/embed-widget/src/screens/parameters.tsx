import type { ConnectProvider } from "@patchbay/shared";
import type { JSX } from "preact";
import type { ParameterProblem, Screen } from "../machine/index.ts";
import { checkParameter } from "../parameters.ts";
import { Icon } from "../ui/icons.tsx";
import { Logo } from "../ui/logo.tsx";
import { Button, Title } from "../ui/parts.tsx";
import { type View } from "../ui/view.ts";

type Shown = Extract<Screen, { name: "parameters" }>;
type Parameter = ConnectProvider["parameters"][number];

/** S6: which account. S7 and S8: not that one. */
export function Parameters({ view, screen }: { readonly view: View; readonly screen: Shown }): JSX.Element {
  const { state, t } = view;
  const asked = state.session?.providers.find((candidate) => candidate.id === screen.provider)?.parameters ?? [];

  return (
    <form
      class="screen"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        view.dispatch({ type: "submitParameters", values: readValues(event.currentTarget) });
      }}
    >
      <Logo view={view} provider={screen.provider} large />
      <Title>{t("consentTitle")}</Title>
      {asked.map((parameter) => (
        <Field key={parameter.name} view={view} screen={screen} parameter={parameter} />
      ))}
      <div class="stack end">
        <Button kind="primary" type="submit" busy={screen.busy}>
          {t("parametersContinue")}
        </Button>
      </div>
    </form>
  );
}

function Field(props: { readonly view: View; readonly screen: Shown; readonly parameter: Parameter }): JSX.Element {
  const { view, screen, parameter } = props;
  const { name } = parameter;
  const typed = screen.values[name] ?? "";
  const problem = screen.problems[name];
  const suffix = parameter.suffix ?? "";
  return (
    <div class="stack">
      <label part="label" for={`field-${name}`}>
        {parameter.label}
      </label>
      <div class={`input ${problem ? "bad" : ""}`}>
        <input
          id={`field-${name}`}
          name={name}
          part="input"
          defaultValue={typed.endsWith(suffix) ? typed.slice(0, typed.length - suffix.length) : typed}
          placeholder={bareName(parameter)}
          inputMode={suffix === "" ? "text" : "url"}
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          readOnly={screen.busy}
          aria-invalid={problem ? "true" : undefined}
          aria-describedby={problem ? `problem-${name} hint-${name}` : `hint-${name}`}
          onInput={() => view.dispatch({ type: "editParameters" })}
        />
        {suffix !== "" && (
          <span class="suffix" aria-hidden="true">
            {suffix}
          </span>
        )}
      </div>
      {problem && (
        <p class="problem" id={`problem-${name}`} part="error">
          <Icon name="alert" size={16} />
          <span>{problemWords(view, parameter, problem, typed)}</span>
        </p>
      )}
      <p class="text small" id={`hint-${name}`}>
        {parameter.hint}
      </p>
    </div>
  );
}

function problemWords({ t }: View, parameter: Parameter, problem: ParameterProblem, typed: string): string {
  const { suffix } = parameter;
  if (problem === "notFound") {
    const check = checkParameter(parameter, typed);
    return t("parametersNotFound", { value: check.ok ? check.value : typed });
  }
  if (suffix === null) return parameter.hint;
  return problem === "publicSite"
    ? t("parametersPublicSite", { suffix })
    : t("parametersFormat", { suffix, example: bareName(parameter) + suffix });
}

function bareName({ example, suffix }: Parameter): string {
  return suffix !== null && example.endsWith(suffix) ? example.slice(0, -suffix.length) : example;
}

function readValues(form: HTMLFormElement): Record<string, string> {
  const inputs = Array.from(form.querySelectorAll("input"));
  return Object.fromEntries(inputs.map((input) => [input.name, input.value]));
}
