"""First and last names by culture, so that people sound like where they live."""

from __future__ import annotations

from typing import NamedTuple


class Culture(NamedTuple):
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


def _culture(first_names: str, last_names: str) -> Culture:
    return Culture(tuple(first_names.split()), tuple(last_names.split()))


CULTURES: dict[str, Culture] = {
    "english": _culture(
        """Abigail Alice Amelia Andrew Audrey Beatrice Benjamin Caleb Charlotte Chloe Claire Connor
        Daniel Diana Dominic Edward Eleanor Ethan Fiona Gareth Grace Hannah Harvey Henry Imogen
        Isaac Jasmine Joel Julia Keith Laura Leonard Lydia Malcolm Martha Nathan Olivia Owen Paige
        Peter Phoebe Rachel Rupert Ruth Simon Sophie Stella Theo Tessa Victor Violet Walter""",
        """Abbott Ainsworth Aldridge Barlow Bennett Blackwood Brennan Caldwell Carver Chandler
        Cole Crawford Dalton Doyle Ellison Fairbanks Fletcher Forsyth Gallagher Garland Hale
        Hargrove Hastings Holloway Irving Jarvis Keane Kendall Langley Lockwood Marsh Mercer
        Nolan Norwood Osborne Pemberton Pritchard Quinn Radcliffe Rowe Sheridan Sinclair
        Stanton Thorne Vance Wakefield Walsh Whitaker Winslow Yates""",
    ),
    "american": _culture(
        """Aaliyah Andre Brianna Darius Deja Ebony Imani Isaiah Jada Jalen Kendra Kiara Latoya
        Malik Marcus Monique Nia Raven Terrence Tyrone Xavier Zora""",
        """Banks Booker Boykin Broadnax Coleman Dorsey Fields Gaines Hairston Jefferson Mosley
        Pettway Rivers Singletary Tolliver Washington Whitfield Yarbrough""",
    ),
    "german": _culture(
        """Anja Annika Bernd Birgit Christoph Dieter Elke Felix Franziska Frieda Gisela Hannes
        Heike Henrik Ingrid Jannik Jürgen Karin Katja Konrad Leonie Lukas Matthias Moritz
        Niklas Petra Ralf Sabine Silke Sören Stefan Svenja Thorsten Ulrike Uwe Wiebke""",
        """Albrecht Bauer Becker Brandt Dietrich Ebert Fiedler Franke Geiger Graf Haas Hartmann
        Heinrich Jäger Kaiser Keller Köhler Krüger Lindner Lorenz Möller Neumann Pfeiffer Reuter
        Schäfer Schröder Seidel Sommer Stein Vogel Voigt Weiß Winkler Ziegler""",
    ),
    "french": _culture(
        """Adèle Agathe Antoine Aurélie Baptiste Bastien Brigitte Céline Clément Corentin Delphine
        Élodie Émile Fabrice Gaëlle Guillaume Hélène Hugo Inès Jérôme Justine Léa Loïc Manon
        Margaux Mathieu Noémie Océane Pascal Quentin Rémi Sandrine Solène Thibault Yann Yvette""",
        """Barbier Beaumont Bertrand Blanchard Bonnet Bourgeois Chevalier Colin Delacroix Deschamps
        Dubois Dumas Fabre Fontaine Garnier Gauthier Lambert Laurent Leclerc Lefèvre Marchand
        Mercier Meunier Moreau Noël Perrin Picard Renaud Rousseau Roussel Tessier Vasseur""",
    ),
    "nordic": _culture(
        """Aksel Anders Annika Astrid Björn Britta Dagny Eero Einar Elin Erik Freja Gunnar Hanna
        Helmi Ingrid Jonas Kaisa Karl Kirsten Lars Liv Magnus Maja Mikkel Nils Oskar Petra Ragnar
        Saga Sigrid Signe Solveig Sven Tuomas Ulla Vilma Åsa""",
        """Aaltonen Ahlberg Andersen Bergström Blomqvist Dahl Eklund Eriksen Forsberg Gustafsson
        Haugen Hedlund Holm Isaksson Jokinen Kjær Korhonen Lindqvist Lund Mattsson Nyberg Nygård
        Olsen Rasmussen Sandvik Sjöberg Skov Strand Søndergaard Virtanen Wallin Åkesson""",
    ),
    "iberian": _culture(
        """Adrián Alba Alejandro Alma Álvaro Beatriz Bruno Camila Carmen Caio Clara Diego Elena
        Esteban Fernanda Gabriela Gonçalo Héctor Inês Iván Javier João José Júlia Larissa Leticia
        Lucía Marisol Mateus Nuria Pablo Paloma Rafael Renata Rocío Rodrigo Salvador Tiago
        Valentina Ximena""",
        """Aguilar Alvarado Araújo Barros Benítez Cabrera Calderón Cardoso Carvalho Castro Cortés
        Delgado Domínguez Espinoza Ferreira Fonseca Fuentes Gallego Guerrero Herrera Ibáñez Lacerda
        Machado Maldonado Medeiros Molina Montero Moreira Navarro Nogueira Ortega Pacheco Paredes
        Quintana Ramos Rocha Salazar Serrano Tavares Valdés""",
    ),
    "slavic": _culture(
        """Agnieszka Aleksander Alena Bartosz Bogdan Danuta Dorota Eliška Filip Grzegorz Halina
        Ivana Jakub Jana Joanna Kamila Katarzyna Kazimierz Łukasz Magdalena Marek Milan Natalia
        Ondřej Oksana Paweł Petr Radek Renata Sławomir Stanislav Tereza Tomasz Vesna
        Wojciech Zofia""",
        """Adamczyk Baran Černý Dąbrowski Dvořák Gajewska Horák Jankowski Jelínek Kaczmarek Kovač
        Kowalczyk Król Kučera Lewandowska Malinowski Marek Mazur Němec Nowicki Olszewski Pavlenko
        Pokorný Rutkowski Sikora Sobczak Šimek Tkachenko Urban Vlček Walczak Wilk Zając
        Zieliński""",
    ),
    "dutch": _culture(
        """Anouk Bas Bram Carlijn Daan Eline Femke Floris Gijs Hanneke Ilse Jeroen Joost Karlijn
        Koen Lieke Lotte Maarten Marieke Niels Pieter Roos Ruben Sanne Sjoerd Thijs Wouter""",
        """Bakker Boersma Bosman Brouwer Dekker Dijkstra Hendriks Hoekstra Huisman Jansen Kok
        Kuiper Meijer Molenaar Mulder Postma Prins Schouten Smit Timmermans Veenstra Vermeulen
        Verhoeven Visser Willemsen Zijlstra""",
    ),
    "indian": _culture(
        """Aarav Aditi Ajay Ananya Anil Arjun Bhavna Chandra Deepa Devika Farhan Gaurav Geeta Harish
        Ishaan Jyoti Kabir Kavya Lakshmi Manish Meera Mohan Nandini Neha Nikhil Pallavi Pooja
        Prakash Priya Rahul Rajesh Ritu Rohan Sanjay Shreya Sunita Suresh Tanvi Varun Vidya Vikram
        Zara""",
        """Acharya Agarwal Banerjee Bhatt Bose Chatterjee Chopra Das Desai Deshmukh Dutta Ghosh
        Gupta Hegde Iyer Jain Joshi Kapoor Kaur Khanna Krishnan Kulkarni Malhotra Mehta Menon Mishra
        Mukherjee Nair Pillai Prasad Qureshi Rao Reddy Sethi Shah Sinha Trivedi Varma""",
    ),
    "chinese": _culture(
        """Aiguo Bowen Chao Chen Fang Guang Hao Hui Jia Jian Jing Jun Lan Lei Li Mei Min Ning Peng
        Qiang Rui Shan Shu Tao Ting Wei Wen Xiaoming Xin Xue Yan Ying Yong Yun Zhen Zihan""",
        """Cai Chen Cheng Deng Ding Du Fan Feng Gao Guo Han He Hu Huang Jiang Liang Lin Liu Lu Luo
        Ma Pan Peng Song Sun Tan Tang Wang Wu Xie Xu Yang Yu Yuan Zeng Zhang Zhao Zheng Zhou Zhu""",
    ),
    "japanese": _culture(
        """Aiko Akira Ayumi Chihiro Daisuke Emi Fumiko Hana Haruto Hiroshi Kaori Kazuki Keiko Kenta
        Makoto Mariko Megumi Naoki Natsuki Rena Ryota Sakura Satoshi Shota Takumi
        Tomoko Yui Yuki""",
        """Abe Aoki Endo Fujita Goto Hasegawa Hayashi Ishikawa Kato Kimura Kobayashi Kondo Maeda
        Matsumoto Miura Mori Murakami Nakajima Nishimura Ogawa Okada Saito Sakamoto Shimizu Takeda
        Ueda Wada Yamashita""",
    ),
    "korean": _culture(
        """Bora Dahyun Dongwook Eunji Haneul Hyejin Hyunwoo Jihoon Jimin Jiwon Junho Kyungsoo Mina
        Minjun Nari Sangmin Seojun Seoyeon Soojin Sungho Taeyang Woojin Yejin Youngmi""",
        """Ahn Bae Cho Choi Chung Han Hong Hwang Jang Jeon Jung Kang Kim Ko Kwon Lee Lim Moon Nam
        Noh Oh Park Ryu Seo Shin Son Song Yoon""",
    ),
    "arabic": _culture(
        """Abdullah Adnan Aisha Amal Amina Bilal Dalia Faisal Farah Fatima Ghassan Hadi Hala Hassan
        Huda Ibrahim Jamal Karim Khadija Layla Mahmoud Mariam Nabil Nadia Noor Omar Rania Rashid
        Salma Samir Tariq Yasmin Youssef Zaid Zainab""",
        """Abbas Amin Aziz Badawi Darwish Fakhoury Farouk Ghanem Haddad Hakim Hamdan Hariri Ismail
        Jaber Kassem Khalil Khoury Mansour Masri Nasser Qasim Rahman Saad Salem Shaheen Sharif
        Sultan Tawfik Younes Zaki""",
    ),
    "west_african": _culture(
        """Abena Adaeze Ade Akosua Amara Ayo Chidi Chinwe Efua Emeka Femi Folake Ifeoma Kofi Kojo
        Kwame Ngozi Nneka Obinna Olumide Sade Tunde Uche Yaw Yetunde Zainab""",
        """Abiola Achebe Adeyemi Afolabi Agyeman Akintola Asante Bello Boateng Danso Eze Ibekwe
        Mensah Nwosu Obi Ofori Okafor Okonkwo Oladipo Onyeka Osei Owusu Sowande Uzor""",
    ),
    "southern_african": _culture(
        """Amogelang Anele Ayanda Bongani Kagiso Karabo Lerato Lindiwe Mandla Nandi Naledi Neo
        Nomsa Palesa Riaan Sibusiso Sipho Thabo Thandiwe Themba Willem Zanele""",
        """Botha Dlamini Fourie Khumalo Mabaso Mahlangu Mkhize Mokoena Molefe Motaung Naidoo Ndlovu
        Nkosi Pretorius Radebe Sithole Tshabalala Viljoen Venter Zulu""",
    ),
    "east_african": _culture(
        """Achieng Akinyi Amani Baraka Biruk Daudi Fatuma Gathoni Hawi Juma Kamau Kiprop Makena
        Mwangi Nafula Njeri Omondi Rehema Selam Tesfaye Wairimu Wanjiru Yonas Zawadi""",
        """Abebe Barasa Chebet Cheruiyot Gitau Kariuki Kimani Kiplagat Kirui Maina Muthoni Mutua
        Ndungu Njoroge Nyambura Ochieng Odhiambo Otieno Rotich Tadesse Wekesa Worku""",
    ),
}
