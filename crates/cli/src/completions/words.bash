# python:v1 is one word, although readline breaks it at the colon.
_NAME_words() {
    local words=() count=0 glued= n prefix
    for ((n = 0; n <= COMP_CWORD; n++)); do
        if [[ $count -gt 0 && ( -n $glued || ${COMP_WORDS[n]} == :* ) ]]; then
            words[count - 1]+=${COMP_WORDS[n]}
            if [[ ${COMP_WORDS[n]} == : ]]; then glued=yes; else glued=; fi
        else
            words[count++]=${COMP_WORDS[n]}
        fi
    done
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$((count - 1))
    local current=${words[count - 1]}
    _clap_complete_NAME "$1" "$current" "$3"
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        prefix=${current%"${current##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
}
