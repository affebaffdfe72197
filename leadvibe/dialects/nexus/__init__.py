"""The Nexus ERP lead API."""
