"""Talk with an Azure Voice Live agent: typed, asynchronous, interruptible."""
