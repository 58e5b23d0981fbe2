/*
 * completion.c: the scripts that make a shell ask `jailadmin complete` for words. They know no verb or option
 * themselves, so they never grow old.
 */
#include "cli/verb.h"

#include <string.h>

/* bash cuts words at = and :, jailadmin does not: the line is split here, and what stands before the last cut
 * is taken off the candidates again. */
static const char bash_script[] =
    "# Completion of jailadmin for bash.\n"
    "_jailadmin()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words last cut='' sign part candidate file IFS=$' \\t\\n'\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=('')\n"
    "    last=${words[${#words[@]} - 1]}\n"
    "    for sign in = : @; do\n"
    "        part=${last%\"${last##*\"$sign\"}\"}\n"
    "        [[ $COMP_WORDBREAKS == *\"$sign\"* && ${#part} -gt ${#cut} ]] && cut=$part\n"
    "    done\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r candidate; do\n"
    "        case $candidate in\n"
    "        :file* | :dir*)\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            part=${candidate#* }\n"
    "            [[ $part == \"$candidate\" ]] && part=''\n"
    "            sign=-f\n"
    "            [[ $candidate == :dir* ]] && sign=-d\n"
    "            while IFS= read -r file; do\n"
    "                file=$part$file\n"
    "                COMPREPLY+=(\"${file#\"$cut\"}\")\n"
    "            done < <(compgen \"$sign\" -- \"${last#\"$part\"}\")\n"
    "            ;;\n"
    "        ?*)\n"
    "            candidate=${candidate%%$'\\t'*}\n"
    "            COMPREPLY+=(\"${candidate#\"$cut\"}\")\n"
    "            ;;\n"
    "        esac\n"
    "    done < <(command \"${words[0]/#\\~/$HOME}\" complete -- \"${words[@]:1}\" 2>/dev/null)\n"
    "    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.:@] ]]; then\n"
    "        compopt -o nospace 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _jailadmin jailadmin\n";

static const char zsh_script[] =
    "#compdef jailadmin\n"
    "# Completion of jailadmin for zsh.\n"
    "_jailadmin() {\n"
    "    local program=${~${(Q)words[1]}} line word doc kind='' prefix=''\n"
    "    local -a closed open\n"
    "    for line in \"${(@f)$(command $program complete -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" "
    "2>/dev/null)}\"; do\n"
    "        word=${line%%$'\\t'*} doc=''\n"
    "        [[ $line == *$'\\t'* ]] && doc=:${line#*$'\\t'}\n"
    "        case $word in\n"
    "        '') ;;\n"
    "        :file* | :dir*)\n"
    "            kind=${word%% *}\n"
    "            [[ $word == *' '* ]] && prefix=${word#* }\n"
    "            ;;\n"
    "        *[=.:@]) open+=(\"${word//:/\\\\:}$doc\") ;;\n"
    "        *) closed+=(\"${word//:/\\\\:}$doc\") ;;\n"
    "        esac\n"
    "    done\n"
    "    local found=1\n"
    "    (( $#closed )) && _describe -t words jailadmin closed && found=0\n"
    "    (( $#open )) && _describe -t words jailadmin open -S '' && found=0\n"
    "    if [[ -n $kind ]]; then\n"
    "        [[ -n $prefix ]] && compset -P \"${(b)prefix}\"\n"
    "        if [[ $kind == :dir ]]; then _files -/ && found=0; else _files && found=0; fi\n"
    "    fi\n"
    "    return found\n"
    "}\n"
    "if [[ $funcstack[1] == _jailadmin ]]; then _jailadmin \"$@\"; else compdef _jailadmin jailadmin; fi\n";

static const char fish_script[] =
    "# Completion of jailadmin for fish.\n"
    "function __jailadmin_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l program $words[1]\n"
    "    set -l last (commandline -ct)\n"
    "    set -e words[1]\n"
    "    for line in (command $program complete -- $words \"$last\" 2>/dev/null)\n"
    "        switch $line\n"
    "            case ':file*' ':dir*'\n"
    "                set -l parts (string split -m 1 ' ' -- $line)\n"
    "                set -l skip (math 1 + (string length -- \"$parts[2]\"))\n"
    "                set -l path (string sub -s $skip -- \"$last\")\n"
    "                if test $parts[1] = :dir\n"
    "                    printf '%s\\n' $parts[2](__fish_complete_directories \"$path\")\n"
    "                else\n"
    "                    printf '%s\\n' $parts[2](__fish_complete_path \"$path\")\n"
    "                end\n"
    "            case '*'\n"
    "                printf '%s\\n' $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c jailadmin -f -a '(__jailadmin_complete)'\n";

const char *ja_completion_script(const char *shell)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    for (size_t i = 0; i < JA_COUNT(scripts); i++)
        if (strcmp(scripts[i].shell, shell) == 0)
            return scripts[i].script;
    return NULL;
}
