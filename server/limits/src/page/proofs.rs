//! For each row of docs/limits.md the tests that go past its bounds.

/// The row by what stands in its first cell, and the tests' names.
pub(super) const PROOFS: &[(&str, &[&str])] = &[
    (
        "charges by unsigned links",
        &[
            "r25_the_twenty_first_charge_of_a_client_is_refused_at_once",
            "r25_when_the_budget_of_unsigned_links_is_spent_a_button_takes_over",
            "r25_presses_from_ever_new_networks_end_at_the_merchants_ceiling_and_say_when_to_come_back",
            "r25_unsigned_links_have_a_ceiling_for_the_whole_instance_and_signed_ones_do_not_share_it",
        ],
    ),
    (
        "charges by signed links",
        &[
            "r25_presses_have_a_ceiling_of_their_own_per_merchant_however_many_clients_press",
            "r25_all_unsigned_links_of_the_instance_have_one_ceiling_and_signed_ones_no_part_in_it",
        ],
    ),
    (
        "open unpaid charges of one order",
        &["r25_a_client_with_three_unpaid_charges_of_an_order_presses_the_button_and_is_not_refused"],
    ),
    (
        "unpaid addresses in a row",
        &["r26_past_a_run_of_unpaid_addresses_the_button_is_needed"],
    ),
    (
        "a press of the button",
        &[
            "r25_a_press_counts_after_the_delay_and_not_for_ever",
            "r25_a_token_makes_one_charge_and_leads_to_it_from_then_on",
            "r25_when_too_many_are_spent_older_tokens_are_void_rather_than_good_again",
        ],
    ),
    (
        "live streams",
        &[
            "a_client_and_a_charge_have_their_own_limits_and_get_back_what_they_close",
            "r25_the_eleventh_stream_of_a_charge_is_refused_and_a_closed_one_makes_room",
            "all_clients_together_have_no_more_streams_than_the_instance_may",
        ],
    ),
    (
        "connections",
        &[
            "one_address_or_household_holds_no_more_than_its_part_and_gets_back_what_it_closes",
            "all_strangers_together_leave_places_for_trusted_proxies",
            "whoever_has_all_their_connections_is_closed_at_once_and_the_others_are_served",
        ],
    ),
    (
        "HTTP/2 connections",
        &["of_too_many_connections_of_http_2_the_oldest_gives_way_and_none_is_over_the_bound"],
    ),
    (
        "HTTP/2 streams",
        &["http_2_streams_are_counted_over_all_connections_of_an_address_and_over_all_strangers"],
    ),
    (
        "the head of a request",
        &[
            "a_head_that_is_too_long_is_refused_in_whatever_pieces_it_comes",
            "a_path_that_is_too_long_is_refused_by_name",
            "whoever_sends_a_head_or_a_body_byte_by_byte_is_let_go",
            "of_too_many_heads_that_are_not_whole_those_waited_for_longest_are_closed",
        ],
    ),
    (
        "an idle connection",
        &[
            "whoever_does_not_say_what_he_wants_is_let_go",
            "a_connection_of_http_2_on_which_nothing_is_asked_is_closed",
            "of_too_many_that_rest_the_longest_gives_way_and_none_that_is_at_work",
        ],
    ),
    (
        "an answer that is not taken",
        &[
            "a_reader_who_is_waited_for_longest_gives_way_to_others",
            "a_reader_who_gave_way_and_takes_nothing_is_waited_for_no_longer",
            "readers_who_never_read_keep_nobody_out_and_are_let_go",
            "a_stream_of_http_2_that_is_not_taken_is_reset_and_the_others_go_on",
        ],
    ),
    (
        "a peer that is not there any more",
        &["the_system_ends_connections_whose_peer_is_gone"],
    ),
    (
        "the body of a form",
        &[
            "a_form_that_is_too_large_or_none_is_refused",
            "of_too_many_bodies_the_one_that_is_waited_for_longest_gives_way",
            "whoever_sends_a_head_or_a_body_byte_by_byte_is_let_go",
        ],
    ),
    (
        "what a link says",
        &["r38_price_currency_order_id_and_repetition_are_strict"],
    ),
    (
        "changes that wait for the disk",
        &["changes_for_which_there_is_no_room_wait_and_are_all_made"],
    ),
    (
        "what `/readyz` costs",
        &["however_many_ask_the_disk_is_asked_once_in_five_seconds"],
    ),
    ("checks from outside", &["of_many_tokens_the_oldest_goes"]),
    (
        "refused requests in the log",
        &["of_refused_requests_no_more_than_a_hundred_a_minute_are_written_down"],
    ),
    (
        "clients remembered by each budget",
        &[
            "a_map_takes_no_more_than_it_may_however_many_keys_come",
            "memory_is_bounded_whoever_comes",
        ],
    ),
    (
        "logins of strangers",
        &[
            "a_guesser_is_stopped_and_the_owner_is_not",
            "all_strangers_together_have_a_ceiling_whatever_they_type",
            "the_operator_sets_the_ceilings",
        ],
    ),
    (
        "wrong passwords of a stranger in a row",
        &["a_guesser_waits_longer_each_time_and_a_right_attempt_ends_it"],
    ),
    (
        "wrong codes of strangers in a row",
        &["codes_are_guessed_no_faster_from_many_places"],
    ),
    (
        "passwords of strangers that wait to be checked",
        &[
            "who_finds_no_room_is_told_at_once_and_who_is_known_has_a_place",
            "while_strangers_fill_the_queue_they_are_told_so_at_once_and_who_is_known_gets_in",
        ],
    ),
    (
        "\"forgot\"",
        &[
            "a_mailbox_is_not_flooded",
            "forgot_always_answers_that_it_was_sent_and_links_count_until_one_is_used",
        ],
    ),
    (
        "requests for accounts",
        &[
            "letters_to_strangers_have_a_ceiling_for_the_instance",
            "the_operator_sets_the_ceilings",
        ],
    ),
    (
        "requests that wait",
        &[
            "so_many_requests_wait_and_no_more_whoever_asks",
            "a_request_that_nobody_approves_is_forgotten",
        ],
    ),
    (
        "e-mails to the operator about requests",
        &["many_requests_from_many_places_make_few_letters_and_one_to_the_operator"],
    ),
    (
        "payments by one transaction",
        &["r34_very_many_outputs_are_counted_whole_and_kept_as_a_hundred"],
    ),
    (
        "what changes in one view of chain and mempool",
        &["a_view_of_more_than_five_thousand_payments_is_taken_in_all_the_same"],
    ),
    (
        "what a decision about a charge costs",
        &[
            "r34_a_change_of_one_payment_costs_as_much_as_there_are_payments",
            "r34_so_it_does_with_a_payment_that_was_replaced_again_and_again",
            "r34_so_it_does_when_many_took_the_place_of_the_last_of_many",
            "r34_so_it_does_when_one_took_the_place_of_many",
        ],
    ),
    (
        "receipts by e-mail",
        &["a_buyer_gets_one_receipt_with_the_first_confirmation"],
    ),
    (
        "requests with a right signature",
        &["r25_only_right_signatures_count_against_a_keys_limit"],
    ),
    ("the body of a request", &["a_body_of_the_largest_size_is_read"]),
    (
        "metadata of a charge",
        &["what_cannot_be_made_is_refused_by_a_code_and_the_field"],
    ),
    (
        "charges on a page of a list",
        &["r36_the_list_is_stable_by_its_cursor_and_filtered"],
    ),
    (
        "webhooks",
        &["a_merchant_has_fifty_webhooks_at_most_and_those_that_were_told_nothing_leave_nothing"],
    ),
    (
        "attempts at one receiver at once",
        &[
            "urls_of_one_host_share_its_bound_and_none_starves",
            "a_merchant_whose_receivers_are_slow_leaves_places_at_the_host_to_others",
            "a_merchant_with_receivers_at_many_hosts_leaves_places_to_others",
        ],
    ),
    (
        "tests of a webhook by a member or a key",
        &[
            "a_receiver_is_not_flooded_with_tests",
            "tests_of_webhooks_by_keys_have_the_budget_of_the_merchant",
        ],
    ),
    (
        "what is kept of a receiver's answer",
        &[
            "status_and_the_beginning_of_the_answer_are_kept",
            "a_gigabyte_is_not_read",
        ],
    ),
    (
        "answers kept for an `Idempotency-Key`",
        &["the_same_idempotency_key_gets_the_same_answer_for_a_day"],
    ),
    (
        "logins from a browser that is known, and confirmations in a session",
        &[
            "strangers_spend_nothing_that_a_known_browser_or_a_session_has",
            "a_member_with_browsers_without_number_has_one_accounts_budget",
        ],
    ),
    (
        "passwords that are chosen anew",
        &["a_member_with_browsers_without_number_has_one_accounts_budget"],
    ),
    (
        "their passwords that wait to be checked",
        &["who_finds_no_room_is_told_at_once_and_who_is_known_has_a_place"],
    ),
    ("\"forgot\" from a browser that is known", &["a_mailbox_is_not_flooded"]),
    ("sessions", &["an_account_has_so_many_sessions_and_the_oldest_end"]),
    (
        "accounts that a browser is known to",
        &["a_browser_is_known_to_four_accounts_and_forgets_the_oldest"],
    ),
    (
        "e-mails about new browsers",
        &["the_mailbox_is_told_of_a_log_in_from_a_new_browser_and_not_flooded"],
    ),
    (
        "invitations and links to a new address",
        &[
            "a_mailbox_is_not_flooded_with_invitations",
            "letters_to_strangers_have_a_ceiling_for_the_instance",
            "the_operator_sets_the_ceilings",
        ],
    ),
    (
        "challenges for passkeys",
        &["a_map_takes_no_more_than_it_may_however_many_keys_come"],
    ),
    (
        "exports under way",
        &[
            "a_third_export_of_an_account_is_refused_until_one_has_ended",
            "all_accounts_together_have_a_bound_of_exports_and_give_back_what_has_ended",
            "two_exports_read_at_a_time_and_the_next_has_its_turn_after_them",
        ],
    ),
    (
        "changes of a merchant, and exports",
        &[
            "a_member_who_changes_things_without_end_is_stopped_and_a_full_log_forgets_its_oldest_lines",
            "a_member_with_browsers_without_number_has_one_accounts_budget",
        ],
    ),
    (
        "lines of the audit log",
        &["a_member_who_changes_things_without_end_is_stopped_and_a_full_log_forgets_its_oldest_lines"],
    ),
    (
        "merchants",
        &[
            "requests_beside_each_other_add_no_merchant_beyond_the_last",
            "the_operator_sets_how_many_merchants_somebody_adds",
        ],
    ),
    ("members", &["a_team_has_fifty_people_at_most_invited_ones_included"]),
    ("passkeys", &["an_account_has_ten_passkeys_at_most"]),
    ("API keys", &["a_merchant_has_fifty_keys_at_most"]),
    ("allowed domains", &["a_list_has_an_end"]),
    ("another wallet", &["another_wallet_waits_for_a_day"]),
    (
        "a note beside a charge",
        &["a_note_is_kept_within_bounds_and_erased_by_an_empty_one"],
    ),
    ("a form", &["a_form_that_is_too_large_is_not_read"]),
    (
        "a logo",
        &[
            "what_is_no_picture_or_too_large_is_refused",
            "a_jpeg_of_thousands_of_passes_is_refused_before_it_is_decoded",
        ],
    ),
    (
        "live streams of the dashboard",
        &["one_account_has_only_so_many_streams"],
    ),
    (
        "the text of a wallet",
        &["a_key_or_a_text_without_end_is_refused_before_it_is_decoded"],
    ),
    (
        "a message of the node's publisher",
        &[
            "a_length_is_not_believed_before_the_bytes_are_there",
            "frames_without_end_are_no_message",
        ],
    ),
    (
        "a mail server's answer",
        &[
            "an_answer_without_end_is_a_failure_wherever_it_comes",
            "a_bound_lies_above_tls_too",
            "whoever_says_a_little_now_and_then_has_one_deadline_for_a_letter",
        ],
    ),
    (
        "connections to `metrics_listen`",
        &["the_inside_is_served_again_when_those_who_hold_it_and_ask_nothing_are_let_go"],
    ),
    (
        "charges with their addresses and events",
        &["r25_all_unsigned_links_of_the_instance_have_one_ceiling_and_signed_ones_no_part_in_it"],
    ),
    (
        "the journal of nonces",
        &["the_journal_turns_and_what_is_forgotten_goes_with_it"],
    ),
    (
        "copies of the database",
        &[
            "copies_that_a_killed_backup_left_go_with_the_next_one_and_at_the_servers_start",
            "every_restore_keeps_what_was_there_before_it",
        ],
    ),
    (
        "an answer of the node, by RPC or REST",
        &[
            "nothing_without_end_is_read_on",
            "an_answer_that_ends_within_its_head_is_an_error_and_the_next_is_heard",
            "an_answer_that_drips_is_heard_until_the_deadline_of_the_whole",
            "an_answer_that_breaks_off_in_its_head_costs_a_round_and_silence_holds_up_no_end",
        ],
    ),
    (
        "a watcher that makes no progress",
        &["a_pulse_that_stands_still_is_felt_until_it_beats_again"],
    ),
    (
        "a command from the command line",
        &["a_command_without_an_end_is_not_kept_and_others_are_carried_out"],
    ),
];

/// Rows past whose bound nothing can go, each with the reason.
pub(super) const NOTHING_TO_PASS: &[(&str, &str)] = &[
    (
        "pages and files that are read",
        "nothing is kept and nothing is counted",
    ),
    (
        "charges held for reading",
        "the capacity is given to the cache when it is made, and holding it is the cache's own duty",
    ),
    (
        "deliveries, kept answers, audit log, people's e-mails and sessions",
        "each has its row and its tests above",
    ),
    (
        "the log of the database (bitpro.db-wal)",
        "when it is begun anew is SQLite's own duty",
    ),
    (
        "the issuance mark",
        "it grows with wallets, whose changes have a row above",
    ),
    (
        "e-mails as files, where no mail server is named",
        "e-mails have rows above, and what an operator has not read is not removed",
    ),
    (
        "deliveries and their attempts",
        "what makes them is counted already, and they go by their age",
    ),
];
