"""Who answers: rules, a classical model, a prompt, few-shot and a fine-tune behind one interface."""
