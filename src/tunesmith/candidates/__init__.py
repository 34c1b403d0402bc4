"""Who answers: rules, a classical model, a prompt, few-shot, retrieval and a fine-tune behind one interface."""
