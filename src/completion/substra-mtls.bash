# Completion of substra-mtls for bash: eval "$(substra-mtls completion bash)"
_substra_mtls() {
    local line=${COMP_LINE:0:COMP_POINT} words=() i blanks piece before directive=0 candidate
    # Bash parts words at = and : too; pieces that no blank parts are one word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${line%%[![:space:]]*}
        line=${line#"$blanks"}
        piece=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then piece=$line; fi
        line=${line#"$piece"}
        if ((i == 0)) || [[ -n $blanks ]]; then
            words+=("$piece")
        else
            words[${#words[@]} - 1]+=$piece
        fi
    done
    # What stands before the piece that bash will replace.
    if [[ $piece == [=:] ]]; then piece=; fi
    before=${words[${#words[@]} - 1]%"$piece"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == :* ]]; then
            directive=${candidate#:}
            continue
        fi
        candidate=${candidate%%$'\t'*}
        candidate=${candidate#"$before"}
        if [[ $candidate == *[[:space:]\'\"\\\$\`\&\;\|\(\)\<\>\*\?\[]* ]]; then
            printf -v candidate %q "$candidate"
        fi
        COMPREPLY+=("$candidate")
    done < <(SUBSTRA_MTLS __complete "${words[@]:1}" 2>/dev/null)
    if ((directive & 2)); then compopt -o nospace 2>/dev/null; fi
}
complete -F _substra_mtls substra-mtls
