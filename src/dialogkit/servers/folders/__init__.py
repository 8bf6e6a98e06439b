"""Readers of what data leaves behind: instance folders, exports of KoboToolbox, archives of ODK Central."""
